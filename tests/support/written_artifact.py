"""Artifacts of a few files, written as a build leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from castoff.store import filetable
from castoff.store.artifacts import load_local
from castoff.store.digest import sha256
from castoff.store.local_artifact import LocalArtifact
from castoff.store.manifest import Blob, Manifest, Source, Target
from castoff.store.migrations import AppMigrations
from support.archives import Content, make_artifact

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}


def write_artifact(
    folder: Path,
    app: str,
    version: str,
    files: Mapping[str, Content],
    migrations: tuple[AppMigrations, ...] = (),
) -> LocalArtifact:
    """Write an archive of these files, with its table and manifest, and load them."""
    made = make_artifact(version, dict(files))
    table = filetable.compress(made.table_bytes)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(
        app=app,
        version=version,
        format="tarball",
        source=Source(commit="c" * 40, ref="HEAD", time=1),
        target=Target(python="", exact_python=False, requires_python="", machine="", glibc=""),
        archive=_blob("archive", made.archive, "tar.gz"),
        table=_blob("files", table, "json.gz"),
        table_sha256=sha256(made.table_bytes),
        tree_sha256=made.tree_sha256,
        tree_size=100,
        entry_points=(),
        dependencies=(),
        migrations=migrations,
        built_with={},
    )
    (folder / f"{app}-{version}.tar.gz").write_bytes(made.archive)
    (folder / f"{app}-{version}.files.json.gz").write_bytes(table)
    (folder / f"{app}-{version}.manifest.json").write_bytes(manifest.to_bytes())
    return load_local(folder, app, version)


def hashed(name: str, data: bytes) -> str:
    """Return the name that a file gets by its content."""
    path = PurePosixPath(name)
    return str(path.with_name(f"{path.stem}.{sha256(data)[:16]}{path.suffix}"))


def write_public(
    folder: Path,
    app: str,
    version: str,
    assets: Mapping[str, bytes],
    *,
    unhashed: Mapping[str, bytes] | None = None,
    base_url: str = "/static/",
) -> LocalArtifact:
    """Write an artifact whose files browsers load: `assets` by names that hold their digests."""
    listed: dict[str, Any] = {}
    files: dict[str, bytes] = {"app/main.py": version.encode()}
    for name, data in {**assets, **(unhashed or {})}.items():
        immutable = name in assets
        path = hashed(name, data) if immutable else name
        files[f"static/{path}"] = data
        listed[name] = {
            "path": path,
            "sha256": sha256(data),
            "integrity": "",
            "size": len(data),
            "type": _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream"),
            "encodings": {},
            "immutable": immutable,
        }
    document = {"schema": 1, "base_url": base_url, "assets": listed, "tools": {}, "warnings": []}
    files["static/assets.json"] = json.dumps(document).encode()
    return write_artifact(folder, app, version, files)


def _blob(name: str, data: bytes, ending: str) -> Blob:
    digest = sha256(data)
    return Blob(name=f"{name}.{digest}.{ending}", size=len(data), sha256=digest)
