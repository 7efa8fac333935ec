"""Write the manifest of a tree that has been packed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from castoff.builder.distributions import Distribution
from castoff.builder.interpreter import Interpreter
from castoff.builder.packed import Packed
from castoff.builder.source import Exported
from castoff.builder.versions import version as version_of
from castoff.config.app_tables import App
from castoff.store import canonical, names
from castoff.store.digest import sha256
from castoff.store.manifest import (
    RECIPE,
    Blob,
    Dependency,
    Format,
    Manifest,
    Pruned,
    Source,
    Target,
)
from castoff.store.migrations import AppMigrations
from castoff.store.places import PROJECT

# What packs a tree.
_PACKERS: Mapping[Format, str] = {"tarball": "deflate", "zipapp": "shiv"}


def describe(
    *,
    app: str,
    recipe: App,
    source: Exported,
    ref: str,
    dirty: bool,
    kind: Format,
    target: Target,
    packed: Packed,
    zipped: bytes,
    entry_points: Sequence[str],
    distributions: Sequence[Distribution],
    own: Distribution | None,
    files: Mapping[str, str],
    interpreter: Interpreter,
    pruned: Pruned,
    lib_tools: Mapping[str, str],
    asset_tools: Mapping[str, str],
    migrations: Sequence[AppMigrations],
) -> Manifest:
    """Return the manifest.

    Args:
        app: The app's name.
        recipe: Its table in castoff.toml, which is read as it is on disk: what it says of the build
            is in the manifest by digest.
        source: The exported commit.
        ref: What it was asked for by.
        dirty: Whether the working tree was built instead.
        kind: What the tree was packed in.
        target: What hosts must offer.
        packed: The archive.
        zipped: Its file table, as it lies in the store.
        entry_points: Names of the launchers.
        distributions: What is installed in the tree.
        own: The project's own among them.
        files: The SHA-256 of the file that each of the others was installed from.
        interpreter: What was built with.
        pruned: What was left out of dependencies.
        lib_tools: Versions of what filled `lib/`, by tool.
        asset_tools: Versions of what made `static/`, by tool.
        migrations: Those of its apps.
    """
    # What decides the bytes of a build, beside the commit and its lock.
    tools = ["castoff", _PACKERS[kind]]
    if any(one.place == PROJECT for one in distributions):
        tools.append("build")
    built_with = {name: version_of(name) for name in tools}
    built_with |= lib_tools
    built_with["python"] = interpreter.full_version
    if own is not None and own.generator:
        built_with["backend"] = own.generator
    built_with |= {f"assets:{name}": version for name, version in asset_tools.items()}
    built_with[RECIPE] = sha256(
        canonical.dumps(recipe.model_dump(mode="json", include={"path", "build", "assets"}))
    )
    return Manifest(
        app=app,
        version=source.version,
        format=kind,
        source=Source(commit=source.commit, ref=ref, dirty=dirty, time=source.time),
        target=target,
        archive=Blob(
            name=names.archive_blob(packed.sha256, kind), size=packed.size, sha256=packed.sha256
        ),
        table=Blob(name=names.table_blob(sha256(zipped)), size=len(zipped), sha256=sha256(zipped)),
        table_sha256=sha256(packed.document),
        tree_sha256=packed.tree_sha256,
        tree_size=packed.tree_size,
        entry_points=tuple(entry_points),
        dependencies=tuple(
            Dependency(
                name=one.name,
                version=one.version,
                local=one.place == PROJECT,
                sha256=files.get(one.name, ""),
            )
            for one in distributions
            if own is None or one.name != own.name
        ),
        pruned=pruned,
        migrations=tuple(migrations),
        built_with=built_with,
    )
