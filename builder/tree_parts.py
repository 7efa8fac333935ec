"""What a tree brings to its file table and its digest, of which an earlier build may have most.

All paths of a layer stand together among those of the tree's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from castoff.builder.settled import Settled
from castoff.builder.tree import Tree
from castoff.store import filetable
from castoff.store.digest import Record, record_lines, records, sha256

_Entry = TypeVar("_Entry")


def directories(tree: Tree) -> bytes:
    """Return the rows of all directories in the file table."""
    settled = _settled(tree)
    if settled is None:
        return filetable.rows(tree.directories)
    before, after = _around(tree, tree.own_directories, str)
    return _joined(filetable.rows(before), settled.directories, filetable.rows(after))


def links(tree: Tree) -> bytes:
    """Return the rows of all links in the file table."""
    settled = _settled(tree)
    if settled is None:
        return filetable.link_rows(tree.links)
    before, after = _around(tree, tree.own_links, lambda link: link.path)
    return _joined(filetable.link_rows(before), settled.links, filetable.link_rows(after))


def tree_sha256(tree: Tree) -> str:
    """Return what `tree_digest` does of the tree's file table."""
    settled = _settled(tree)
    if settled is None:
        return sha256(b"".join(record_lines(records(tree.directories, tree.files, tree.links))))
    own = records(tree.own_directories, tree.own_files, tree.own_links)
    before, after = _around(tree, own, _path)
    return sha256(b"".join((*record_lines(before), settled.lines, *record_lines(after))))


def size(tree: Tree) -> int:
    """Return the bytes of all files."""
    settled = _settled(tree)
    if settled is None:
        return sum(file.size for file in tree.files)
    return settled.size + sum(file.size for file in tree.own_files)


def _settled(tree: Tree) -> Settled | None:
    return None if tree.layer is None else tree.layer.settled


def _around(
    tree: Tree, own: Iterable[_Entry], path: Callable[[_Entry], str]
) -> tuple[list[_Entry], list[_Entry]]:
    """Return the tree's own entries before the layer's, and those behind."""
    under = "" if tree.layer is None else tree.layer.under
    entries = list(own)
    return (
        [entry for entry in entries if path(entry) < under],
        [entry for entry in entries if path(entry) > under],
    )


def _path(record: Record) -> str:
    return record[0]


def _joined(*rows: bytes) -> bytes:
    return b",".join(row for row in rows if row)
