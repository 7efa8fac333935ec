"""SHA-256 of bytes, files and trees, in lower-case hexadecimal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from castoff.store.filetable import FileTable

_BLOCK = 1024 * 1024


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
    records: list[tuple[str, tuple[str, ...]]] = [(d, ("d",)) for d in table.directories]
    records += [
        (f.path, ("f", "755" if f.executable else "644", str(f.size), f.sha256))
        for f in table.files
    ]
    records += [(link.path, ("l", link.target)) for link in table.links]
    return sha256(b"".join(_lines(records)))


def _lines(records: list[tuple[str, tuple[str, ...]]]) -> Iterable[bytes]:
    for path, fields in sorted(records, key=lambda record: record[0].encode()):
        yield "\0".join((*fields, path)).encode() + b"\0\n"
