"""Put patches beside a version that was pushed, from the releases that hosts probably have."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.patches.make import Side, make
from castoff.builder.patches.pairs import pairs
from castoff.store import artifacts, keys, names, patch
from castoff.store.backend import Store
from castoff.store.difference import Fetch, to_fetch
from castoff.store.digest import sha256_file
from castoff.store.errors import CastoffError, Conflict, UnknownVersion
from castoff.store.filetable import FileTable
from castoff.store.local_artifact import LocalArtifact, verify_local
from castoff.store.manifest import Manifest
from castoff.store.unpack import Damaged

# What a request costs beside its bytes, in bytes; agents reckon with the same.
_REQUEST = 32 * 1024


@dataclass(frozen=True, slots=True)
class PushedPatch:
    """What became of a patch.

    Attributes:
        base: The version that it starts from.
        size: Bytes; None where there is none now.
        instead_of: Bytes that a host with `base` would fetch without it.
        why_not: Why there is none; empty where there is one.
    """

    base: str
    size: int | None
    instead_of: int
    why_not: str = ""


def push_patches(
    store: Store, artifact: LocalArtifact, bases: Sequence[str]
) -> tuple[PushedPatch, ...]:
    """Make the patches that are not in the store yet and are worth a request.

    Nothing depends on a patch, so one that cannot be made is no error.

    Args:
        store: Where the artifact has just been pushed to.
        artifact: The artifact.
        bases: The versions that patches start from.

    Returns:
        What became of each patch that was not there already.

    Raises:
        StoreError: The store does not say which patches there are.
        CorruptArtifact: The artifact is not what it was when it was pushed.
    """
    manifest = artifact.manifest
    there = {manifest.version, *patch.bases(store, manifest.app, manifest.version)}
    missing = [base for base in bases if base not in there]
    if not missing:
        return ()
    table = verify_local(artifact)
    return tuple(
        made for base in missing if (made := _push_one(store, artifact, table, base)) is not None
    )


def _push_one(
    store: Store, artifact: LocalArtifact, table: FileTable, base: str
) -> PushedPatch | None:
    new = artifact.manifest
    try:
        old, _ = artifacts.fetch_manifest(store, new.app, base)
        old_table, _ = artifacts.fetch_table(store, old)
        wanted = pairs(old_table, table)
        if not wanted:
            return None
        fetch = to_fetch(old_table, new, table)
        with tempfile.TemporaryDirectory(prefix="castoff-patch-") as folder:
            path = Path(folder) / "patch"
            with (
                _archive(store, old, artifact.archive.parent, Path(folder)).open("rb") as before,
                artifact.archive.open("rb") as after,
            ):
                said = make(base, Side(before, old_table), Side(after, table), wanted, path)
            if not _is_worthwhile(said.size, fetch):
                return PushedPatch(base, None, fetch.size, "it would spare hosts next to nothing")
            blob = keys.patch_blob(new.app, new.version, base, said.sha256)
            store.upload(blob, path, sha256=said.sha256)
        store.create(keys.patch(new.app, new.version, base), said.to_bytes())
    except (UnknownVersion, Conflict):
        # Removed from the store since it was good, or another has just pushed the same.
        return None
    except (CastoffError, Damaged, OSError) as error:
        what = error.message if isinstance(error, CastoffError) else str(error)
        return PushedPatch(base, None, 0, what)
    return PushedPatch(base, said.size, fetch.size)


def _is_worthwhile(size: int, fetch: Fetch) -> bool:
    """Whether a patch costs a host less than the archive does, and spares it a tenth of the bytes.

    All those bytes lie in the store for as long as the version does.
    """
    parts = fetch.size + fetch.ranges * _REQUEST
    whole = fetch.archive_size + _REQUEST
    bytes_without = fetch.size if parts < whole else fetch.archive_size
    return size + _REQUEST < min(parts, whole) and 10 * size <= 9 * bytes_without


def _archive(store: Store, manifest: Manifest, built: Path, folder: Path) -> Path:
    """Return where a version's archive lies on this machine, fetched if it is nowhere."""
    blob = manifest.archive
    key = keys.blob(manifest.app, manifest.version, blob.name)
    local = built / names.local_archive(manifest.app, manifest.version, manifest.format)
    for path in (store.local_path(key), local):
        if path is not None and path.is_file() and sha256_file(path) == blob.sha256:
            return path
    path = folder / "archive"
    store.download(key, path, sha256=blob.sha256)
    return path
