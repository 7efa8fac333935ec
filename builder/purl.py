"""Names of packages as other tools understand them: package URLs (https://github.com/package-url)."""

from __future__ import annotations

from functools import cache

from castoff.store.manifest import Dependency, Manifest


@cache
def of_dependency(dependency: Dependency) -> str:
    """Return the package URL of a distribution on the Python index: `pkg:pypi/django@5.2`.

    What was built from the commit is on no index, and may have the name of another's there.
    """
    from packageurl import PackageURL

    kind = "generic" if dependency.local else "pypi"
    return PackageURL(type=kind, name=dependency.name, version=dependency.version).to_string()


def of_app(manifest: Manifest) -> str:
    """Return the package URL of the release itself, which no index has."""
    from packageurl import PackageURL

    return PackageURL(type="generic", name=manifest.app, version=manifest.version).to_string()
