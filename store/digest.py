"""SHA-256 of bytes, files and trees, in lower-case hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from castoff.store.filetable import FileTable, Link

_BLOCK = 1024 * 1024

# An entry's path, and its other fields in a record of `tree_digest`.
Record = tuple[str, tuple[str, ...]]


class HashedFile(Protocol):
    """A file whose content is known by its digest."""

    @property
    def path(self) -> str:
        """From the tree's top."""

    @property
    def executable(self) -> bool:
        """Whether its mode is 0755."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def sha256(self) -> str:
        """Digest of the content."""


def sha256(data: bytes) -> str:
    """Return the digest of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the digest of a file's content, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def tree_digest(table: FileTable) -> str:
    """Return the digest that identifies a release whatever it was packed in.

    It covers each directory, file and symbolic link of the tree, in the order of their UTF-8
    paths, as one record each, its fields divided by NUL and closed by a newline after a NUL:
    `d`, path; `f`, mode (`644` or `755`), size, SHA-256, path; `l`, target, path. No name can
    hold a NUL, so no two trees share a record list. Hosts compute the same from what they wrote
    (`releaser/agent/tree.py`).
    """
    listed = records(table.directories, table.files, table.links)
    return sha256(b"".join(record_lines(listed)))


def records(
    directories: Iterable[str], files: Iterable[HashedFile], links: Iterable[Link]
) -> list[Record]:
    """Return the records of some entries, in the order of `tree_digest`."""
    found: list[Record] = [(path, ("d",)) for path in directories]
    found += [
        (file.path, ("f", "755" if file.executable else "644", str(file.size), file.sha256))
        for file in files
    ]
    found += [(link.path, ("l", link.target)) for link in links]
    return sorted(found, key=lambda record: record[0].encode())


def record_lines(listed: Iterable[Record]) -> Iterator[bytes]:
    """Yield the bytes of some records, as `records` returns them."""
    for path, fields in listed:
        yield "\0".join((*fields, path)).encode() + b"\0\n"
