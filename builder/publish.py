"""Put a finished build into `artifacts/`, complete or not at all."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from castoff.store import filetable, names
from castoff.store.digest import sha256_file
from castoff.store.durable import MARK, make_directory, new_file
from castoff.store.errors import CorruptArtifact, ImmutableVersion, StoreError
from castoff.store.filetable import FileTable
from castoff.store.manifest import Manifest, parse

_DIRTY = "+dirty."
# Seconds without a write; no build takes so long for one file.
_ABANDONED = 24 * 3600


@dataclass(frozen=True, slots=True)
class Published:
    """The three files of a version.

    Attributes:
        manifest: What `manifest_path` holds.
    """

    manifest: Manifest
    archive: Path
    table: Path
    manifest_path: Path


def publish(manifest: Manifest, archive: Path, table: FileTable, output: Path) -> Published:
    """Write archive and table, then the manifest that names them, each complete before it is seen.

    A version that is there with the same archive and table is left as it is, with its manifest
    (which may be signed); only a file that is missing or damaged is written again.

    Args:
        manifest: The new build's.
        archive: Where it lies now.
        table: Its file table.
        output: The folder; made when missing.

    Raises:
        ImmutableVersion: The version is there with other bytes, and is not a dirty build's.
        StoreError: The folder cannot be written.
    """
    app, version = manifest.app, manifest.version
    places = Published(
        manifest,
        output / names.local_archive(app, version, manifest.format),
        output / names.local_table(app, version),
        output / names.local_manifest(app, version),
    )
    zipped = archive.with_name("files.json.gz")
    zipped.write_bytes(filetable.compress(table.to_bytes()))
    try:
        make_directory(output)
        _remove_abandoned(output)
        there = _existing(places.manifest_path)
        same = there is not None and _identity(there) == _identity(manifest)
        if there is not None and not same:
            _make_way(there, places)
        _place(archive, places.archive, manifest.archive.sha256)
        _place(zipped, places.table, manifest.table.sha256)
        if there is not None and same:
            return Published(there, places.archive, places.table, places.manifest_path)
        with new_file(places.manifest_path) as file:
            file.write(manifest.to_bytes())
            file.replace()
    except OSError as error:
        raise StoreError(f"{error.filename or output}: {error.strerror}") from error
    return places


def _remove_abandoned(output: Path) -> None:
    """Remove what builds that were killed had begun to write."""
    for path in output.glob(f".{MARK}*"):
        if time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink(missing_ok=True)


def _identity(manifest: Manifest) -> tuple[object, ...]:
    """Return what makes a version what it is; not the name that its commit was asked for by."""
    return (
        manifest.format,
        manifest.source.commit,
        manifest.target,
        manifest.archive,
        manifest.table,
        manifest.entry_points,
    )


def _existing(path: Path) -> Manifest | None:
    try:
        return parse(path.read_bytes(), origin=str(path))
    except FileNotFoundError:
        return None
    except CorruptArtifact as error:
        raise ImmutableVersion(
            f"{path} is there and cannot be read: {error.message}",
            hint="Look at it, and remove it if it is of no use.",
        ) from error


def _make_way(there: Manifest, places: Published) -> None:
    if _DIRTY not in there.version:
        raise ImmutableVersion(
            f"{there.app} {there.version} is in {places.manifest_path.parent} with other bytes: "
            f"tree {there.tree_sha256[:12]} of commit {there.source.commit[:10]}",
            hint="A version never changes. Give this build another one (--version), or remove the "
            f"old files if they were never pushed: {places.manifest_path.name} and its neighbours.",
        )
    # First, so that at no moment it names files that are not its own; with what was signed of it.
    places.manifest_path.unlink(missing_ok=True)
    signature = names.local_signature(there.app, there.version)
    (places.manifest_path.parent / signature).unlink(missing_ok=True)


def _place(source: Path, target: Path, sha256: str) -> None:
    if target.is_file() and sha256_file(target) == sha256:
        return
    with new_file(target) as file, source.open("rb") as content:
        shutil.copyfileobj(content, file, 1024 * 1024)
        file.replace()
    target.chmod(target.stat().st_mode | (source.stat().st_mode & 0o111))
