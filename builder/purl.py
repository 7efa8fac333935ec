"""Names of packages as other tools understand them: package URLs (https://github.com/package-url)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castoff.store.manifest import Dependency, Manifest

if TYPE_CHECKING:
    from packageurl import PackageURL


def of_dependency(dependency: Dependency) -> PackageURL:
    """Return the package URL of a distribution on the Python index: `pkg:pypi/django@5.2`.

    What was built from the commit is on no index, and may have the name of another's there.
    """
    from packageurl import PackageURL

    kind = "generic" if dependency.local else "pypi"
    return PackageURL(type=kind, name=dependency.name, version=dependency.version)


def of_app(manifest: Manifest) -> PackageURL:
    """Return the package URL of the release itself, which no index has."""
    from packageurl import PackageURL

    return PackageURL(type="generic", name=manifest.app, version=manifest.version)
