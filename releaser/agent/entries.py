"""What is in a tree by its table, by path: in a dictionary, unless that would be a long one."""

from __future__ import annotations

from heapq import merge

from .table import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Union

    from .table import Table

    # The row of a file, a link, or None for a directory.
    Entry = Union[int, Link, None]

# What a path is in no table by.
NOT_THERE = Link("", "")


class Entries:
    """All entries of a tree, from which those are taken that were seen."""

    def __init__(self, table: Table) -> None:
        self._others: dict[str, Entry] = dict.fromkeys(table.directories)
        self._others.update((link.path, link) for link in table.links)
        self._paths = table.files.paths
        self._left = bytearray()
        if self._paths.sorted:
            self._left = bytearray(b"\1") * len(self._paths)
        else:
            self._others.update((path, row) for row, path in enumerate(self._paths))
        # For many entries a method's call is worth sparing.
        self.pop = self._pop if self._left else self._others.pop

    def __iter__(self) -> Iterator[str]:
        yield from self._others
        yield from (self._paths[row] for row, is_left in enumerate(self._left) if is_left)

    def __bool__(self) -> bool:
        return bool(self._others) or any(self._left)

    def is_directory(self, path: str) -> bool:
        """Whether a path is that of a directory that was not taken yet."""
        return self._others.get(path, NOT_THERE) is None

    def drop(self, unwanted: Callable[[str], bool]) -> None:
        """Take all entries with some paths."""
        for path in [path for path in self._others if unwanted(path)]:
            del self._others[path]
        for row, is_left in enumerate(self._left):
            if is_left and unwanted(self._paths[row]):
                self._left[row] = False

    def _pop(self, path: str, default: Entry) -> Entry:
        if path in self._others:
            return self._others.pop(path)
        row = self._paths.find(path)
        if row < 0 or not self._left[row]:
            return default
        self._left[row] = False
        return row


def in_order(table: Table, more: Iterable[str]) -> Iterator[tuple[str, Entry]]:
    """Yield each path of a tree, and each of some more, with its entry, in the order of UTF-8.

    Args:
        table: What is in the tree.
        more: Paths, whether they are in the tree or not; what is no text may be among them.
    """
    others: dict[str, Entry] = dict.fromkeys(more, NOT_THERE)
    strange = bool(others)
    others.update(dict.fromkeys(table.directories))
    others.update((link.path, link) for link in table.links)
    paths = table.files.paths
    if not paths.sorted:
        others.update((path, row) for row, path in enumerate(paths))
    elif strange:
        for path in [path for path, entry in others.items() if entry is NOT_THERE]:
            if paths.find(path) >= 0:
                del others[path]
    # Characters are in the order of their bytes in UTF-8; only what is no text is not.
    few = ((path, others[path]) for path in sorted(others, key=in_bytes if strange else None))
    if not paths.sorted:
        return few
    return merge(few, zip(paths, range(len(paths))), key=_path_in_bytes if strange else _path)


def in_bytes(text: str) -> bytes:
    """Return a path as the file system has it."""
    return text.encode("utf-8", "surrogateescape")


def _path(entry: tuple[str, Entry]) -> str:
    return entry[0]


def _path_in_bytes(entry: tuple[str, Entry]) -> bytes:
    return in_bytes(entry[0])
