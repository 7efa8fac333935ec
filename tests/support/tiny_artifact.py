"""An artifact of one file, as a build would leave it, for tests that only move artifacts."""

from __future__ import annotations

import gzip
from pathlib import Path

from castoff.store import filetable, names
from castoff.store.artifacts import LocalArtifact, load_local
from castoff.store.digest import sha256, tree_digest
from castoff.store.filetable import File, FileTable, Member
from castoff.store.manifest import Blob, Format, Manifest, Source, Target


def write_artifact(
    directory: Path,
    version: str,
    content: bytes = b"print('hello')\n",
    *,
    app: str = "shop",
    kind: Format = "tarball",
    time: int = 1_700_000_000,
) -> LocalArtifact:
    """Write an archive, a file table and a manifest, and load them."""
    directory.mkdir(parents=True, exist_ok=True)
    archive = gzip.compress(content, mtime=0)
    member = Member(0, len(archive), len(content), sha256(archive), "gzip")
    table = FileTable(
        members=(member,),
        directories=("app",),
        files=(File("app/main.py", False, len(content), sha256(content), 0, 0),),
        links=(),
    )
    table_z = filetable.compress(table.to_bytes())
    manifest = Manifest(
        app=app,
        version=version,
        format=kind,
        source=Source(commit="c" * 40, ref="main", time=time),
        target=Target(python="3.11", exact_python=False, requires_python="", machine="", glibc=""),
        archive=Blob(
            name=names.archive_blob(sha256(archive), kind),
            size=len(archive),
            sha256=sha256(archive),
        ),
        table=Blob(
            name=names.table_blob(sha256(table_z)), size=len(table_z), sha256=sha256(table_z)
        ),
        table_sha256=sha256(table.to_bytes()),
        tree_sha256=tree_digest(table),
        tree_size=len(content),
        entry_points=(),
        dependencies=(),
        built_with={},
    )
    (directory / names.local_archive(app, version, kind)).write_bytes(archive)
    (directory / names.local_table(app, version)).write_bytes(table_z)
    (directory / names.local_manifest(app, version)).write_bytes(manifest.to_bytes())
    return load_local(directory, app, version)
