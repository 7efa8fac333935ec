"""Artifacts of any tree, as a build would leave them, for tests that look into artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from castoff.store import names
from castoff.store.digest import sha256
from castoff.store.filetable import Codec, compress
from castoff.store.local_artifact import LocalArtifact, load_local
from castoff.store.manifest import Blob, Dependency, Format, Manifest, Source, Target
from support.archives import Artifact, Content, make_artifact


def manifest_of(
    artifact: Artifact,
    *,
    codec: Codec = "gzip",
    dependencies: Mapping[str, str] | None = None,
    **changes: Any,
) -> Manifest:
    """Return the full manifest of an archive that was made in the test."""
    kind: Format = "tarball" if codec == "gzip" else "zipapp"
    table_z = compress(artifact.table_bytes)
    fields: dict[str, Any] = {
        "app": "shop",
        "version": artifact.version,
        "format": kind,
        "source": Source(commit="c" * 40, ref="main", time=1_700_000_000),
        "target": Target(
            python="3.11", exact_python=False, requires_python="", machine="", glibc=""
        ),
        "archive": Blob(
            name=names.archive_blob(sha256(artifact.archive), kind),
            size=len(artifact.archive),
            sha256=sha256(artifact.archive),
        ),
        "table": Blob(
            name=names.table_blob(sha256(table_z)), size=len(table_z), sha256=sha256(table_z)
        ),
        "table_sha256": sha256(artifact.table_bytes),
        "tree_sha256": artifact.tree_sha256,
        "tree_size": sum(file.size for file in artifact.table.files),
        "entry_points": (),
        "dependencies": tuple(
            Dependency(name=name, version=version)
            for name, version in sorted((dependencies or {}).items())
        ),
        "built_with": {"castoff": "0.1.0", "python": "3.11.2"},
        **changes,
    }
    return Manifest(**fields)


def write_tree(
    directory: Path,
    version: str,
    files: Mapping[str, Content],
    *,
    codec: Codec = "gzip",
    links: Mapping[str, str] | None = None,
    raw_member: int = 512,
    dependencies: Mapping[str, str] | None = None,
    **changes: Any,
) -> LocalArtifact:
    """Write an artifact of these files into a directory, and load it."""
    made = make_artifact(version, files, codec=codec, links=links, raw_member=raw_member)
    manifest = manifest_of(made, codec=codec, dependencies=dependencies, **changes)
    app = manifest.app
    directory.mkdir(parents=True, exist_ok=True)
    (directory / names.local_archive(app, version, manifest.format)).write_bytes(made.archive)
    (directory / names.local_table(app, version)).write_bytes(compress(made.table_bytes))
    (directory / names.local_manifest(app, version)).write_bytes(manifest.to_bytes())
    return load_local(directory, app, version)
