"""Put a finished build into `artifacts/`, complete or not at all."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from castoff.store import names
from castoff.store.digest import sha256_file
from castoff.store.durable import MARK, make_directory, move, new_file
from castoff.store.errors import CorruptArtifact, ImmutableVersion, StoreError
from castoff.store.manifest import Manifest, parse

_DIRTY = "+dirty."
# Held while files are put in their places, so that builds of one version take turns.
_LOCK = f".{MARK}lock"
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


def publish(manifest: Manifest, archive: Path, zipped: bytes, output: Path) -> Published:
    """Write archive and table, then the manifest that names them, each complete before it is seen.

    A version that is there with the same manifest, but for the name that its commit was asked for
    by, is left as it is (it may be signed); only a file that is missing or damaged is written
    again.

    Args:
        manifest: The new build's.
        archive: Where it lies now.
        zipped: Its file table, as it lies in the store.
        output: The folder; made when missing, and then git does not see what is in it.

    Raises:
        ImmutableVersion: The version is there with other bytes or another manifest, and is not a
            dirty build's.
        StoreError: The folder cannot be written.
    """
    app, version = manifest.app, manifest.version
    places = Published(
        manifest,
        output / names.local_archive(app, version, manifest.format),
        output / names.local_table(app, version),
        output / names.local_manifest(app, version),
    )
    table = archive.with_name("files.json.gz")
    table.write_bytes(zipped)
    try:
        if not output.is_dir():
            make_directory(output)
            # Else `git add .` would bring releases into the next commit, and so into releases.
            (output / ".gitignore").write_text("*\n", encoding="utf-8")
        with _alone(output / _LOCK):
            _remove_abandoned(output)
            return _put(places, archive, table)
    except OSError as error:
        raise StoreError(f"{error.filename or output}: {error.strerror}") from error


def _put(places: Published, archive: Path, table: Path) -> Published:
    manifest, there = places.manifest, _existing(places.manifest_path)
    differing = () if there is None else _differing(there, manifest)
    if there is not None and differing:
        _make_way(there, places, differing)
    _place(archive, places.archive, manifest.archive.sha256)
    _place(table, places.table, manifest.table.sha256)
    if there is not None and not differing:
        return Published(there, places.archive, places.table, places.manifest_path)
    with new_file(places.manifest_path) as file:
        file.write(manifest.to_bytes())
        file.replace()
    return places


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait for, and hold, a lock that the kernel lets go of however its holder ends."""
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    # Whoever held it before took its name away.
    while not _is_named(descriptor, path):
        os.close(descriptor)
        descriptor = _open(path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)


def _remove_abandoned(output: Path) -> None:
    """Remove what builds that were killed had begun to write."""
    for path in output.glob(f".{MARK}*"):
        if path.name != _LOCK and time.time() - path.stat().st_mtime > _ABANDONED:
            path.unlink(missing_ok=True)


def _differing(there: Manifest, new: Manifest) -> tuple[str, ...]:
    """Return the fields that differ; the name that the commit was asked for by may do so."""
    source = there.source.model_copy(update={"ref": new.source.ref})
    there = there.model_copy(update={"source": source})
    return tuple(
        name for name in type(new).model_fields if getattr(there, name) != getattr(new, name)
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


def _make_way(there: Manifest, places: Published, differing: Sequence[str]) -> None:
    app, version, folder = places.manifest.app, places.manifest.version, places.manifest_path.parent
    if _DIRTY not in version:
        same = there.archive == places.manifest.archive
        found = (
            f"another manifest: {', '.join(differing)} differ"
            if same
            else f"other bytes: tree {there.tree_sha256[:12]} of commit {there.source.commit[:10]}"
        )
        raise ImmutableVersion(
            f"{app} {version} is in {folder} with {found}",
            hint="A version never changes. Give this build another one (--version), or remove the "
            f"old files if they were never pushed: {places.manifest_path.name} and its neighbours.",
        )
    # First, so that at no moment it names files that are not its own; with what was signed of it.
    places.manifest_path.unlink(missing_ok=True)
    (folder / names.local_signature(app, version)).unlink(missing_ok=True)


def _place(source: Path, target: Path, sha256: str) -> None:
    if target.is_file() and sha256_file(target) == sha256:
        return
    move(source, target)
