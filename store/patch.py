"""Patches: how hosts that have one version make the files of another; docs/reference/patches.md.

A patch lies below the version that it leads to, as a blob of Zstandard frames at a key that holds
its digest, and a small document that says what the frames are about. Nobody trusts either: what
comes of a patch is held against the digests of the version's file table, and a host that can make
nothing of it fetches parts of the archive.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.manifest import Sha256
from castoff.store.version import VERSION

_Whole = Annotated[int, Field(ge=0)]
_ENDING = ".json"

# First row and how many.
Run = tuple[_Whole, Annotated[int, Field(ge=1)]]
# Bytes in the patch, bytes that come of them, and which bytes of the old files it is made against:
# where they begin in the row of all, and how many they are.
Frame = tuple[_Whole, _Whole, _Whole, _Whole]


class Patch(StoredDocument):
    """What is said of a patch.

    Attributes:
        base: The version that a host must have.
        size: Bytes of the patch.
        sha256: Their digest.
        old: Rows of `base`'s file table: the files whose content, joined in this order, the frames
            were made against.
        new: Rows of the version's file table: the files that come of the patch, in this order.
        frames: In the order in which they lie in the patch; what they hold, joined, is the content
            of `new`.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    base: Annotated[str, StringConstraints(pattern=f"^{VERSION.pattern}$")]
    size: _Whole
    sha256: Sha256
    old: tuple[Run, ...]
    new: tuple[Run, ...]
    frames: tuple[Frame, ...]


def bases(store: Store, app: str, version: str) -> list[str]:
    """Return the versions from which there is a patch to `version`.

    Raises:
        StoreError: The store cannot be read.
    """
    prefix = keys.patches(app, version)
    names = (entry.key.removeprefix(prefix) for entry in store.entries(prefix))
    return [name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)]


def read(store: Store, app: str, version: str, base: str) -> Patch:
    """Return what is said of the patch from one version to another.

    Raises:
        ObjectMissing: There is none.
        CorruptArtifact: The document does not fit its schema.
        StoreError: The store cannot be read.
    """
    key = keys.patch(app, version, base)
    return parse(Patch, store.read(key).data, origin=f"{store.url}/{key}")


def copy(source: Store, target: Store, app: str, version: str, folder: Path) -> Iterator[str]:
    """Copy the patches to a version that another store has, too; yield the base of each copied.

    Those from versions that the other store has not are of no use to hosts that are released to
    from there.

    Args:
        source: Where the patches are.
        target: Where they go.
        app: The app's name.
        version: The version that they lead to.
        folder: An empty folder, for what is on its way.

    Raises:
        CastoffError: A store cannot be read or written, or a patch is not what it should be; those
            before it are copied.
    """
    there = set(bases(target, app, version))
    for base in bases(source, app, version):
        if base in there or VERSION.fullmatch(base) is None or not _has(target, app, base):
            continue
        said = read(source, app, version, base)
        if said.base != base:
            continue
        key = keys.patch_blob(app, version, base, said.sha256)
        path = folder / said.sha256
        source.download(key, path, sha256=said.sha256)
        target.upload(key, path, sha256=said.sha256)
        path.unlink()
        target.create(keys.patch(app, version, base), said.to_bytes())
        yield base


def _has(store: Store, app: str, version: str) -> bool:
    key = keys.manifest(app, version)
    return any(entry.key == key for entry in store.entries(key))


def runs(rows: list[int]) -> tuple[Run, ...]:
    """Return the numbers of rows as runs."""
    found: list[Run] = []
    for row in rows:
        if found and row == sum(found[-1]):
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((row, 1))
    return tuple(found)
