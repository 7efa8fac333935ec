"""What is in a tree by its table, by path: in a dictionary, unless that would be a long one."""

from __future__ import annotations

from heapq import merge
from itertools import repeat

from .columns import Link
from .index import Index
from .index import in_order as ordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Union

    from .columns import Links
    from .table import Table
    from .texts import Texts

    # The row of a file, a link, or None for a directory.
    Entry = Union[int, Link, None]

# What a path is in no table by.
NOT_THERE = Link("", "")


class Entries:
    """All entries of a tree, from which those are taken that were seen."""

    def __init__(self, table: Table) -> None:
        self._few: dict[str, Entry] = {}
        self._many: list[_Many] = []
        kinds = (table.directories, table.links.paths, table.files.paths)
        if any(texts.many for texts in kinds):
            self._links = table.links
            self._many = [_Many(texts) for texts in kinds]
            self._folders, self._linked, self._files = self._many
        else:
            self._few.update(dict.fromkeys(table.directories))
            self._few.update((link.path, link) for link in table.links)
            self._few.update((path, row) for row, path in enumerate(table.files.paths))
        # For many entries a method's call is worth sparing.
        self.pop = self._pop if self._many else self._few.pop

    def __iter__(self) -> Iterator[str]:
        yield from self._few
        for one in self._many:
            yield from one

    def __bool__(self) -> bool:
        return bool(self._few) or any(map(bool, self._many))

    def is_directory(self, path: str) -> bool:
        """Whether a path is that of a directory that was not taken yet."""
        if self._many:
            return self._folders.row(path) >= 0
        return self._few.get(path, NOT_THERE) is None

    def drop(self, unwanted: Callable[[str], bool]) -> None:
        """Take all entries with some paths."""
        for path in [path for path in self._few if unwanted(path)]:
            del self._few[path]
        for one in self._many:
            one.drop(unwanted)

    def _pop(self, path: str, default: Entry) -> Entry:
        # Files first, of which there are the most.
        row = self._files.take(path)
        if row >= 0:
            return row
        if self._folders.take(path) >= 0:
            return None
        row = self._linked.take(path)
        return self._links[row] if row >= 0 else default


class _Many:
    """Paths that were not taken yet."""

    def __init__(self, texts: Texts) -> None:
        self._texts, self._index = texts, Index(texts)
        self._left = bytearray(b"\1") * len(texts)

    def __iter__(self) -> Iterator[str]:
        return (text for text, is_left in zip(self._texts, self._left) if is_left)

    def __bool__(self) -> bool:
        return 1 in self._left

    def row(self, path: str) -> int:
        row = self._index.find(path)
        return row if row >= 0 and self._left[row] else -1

    def take(self, path: str) -> int:
        row = self.row(path)
        if row >= 0:
            self._left[row] = False
        return row

    def drop(self, unwanted: Callable[[str], bool]) -> None:
        for row, text in enumerate(self._texts):
            if self._left[row] and unwanted(text):
                self._left[row] = False


def in_order(table: Table) -> Iterator[tuple[str, Entry]]:
    """Yield each path of a tree with its entry, in the order of UTF-8."""
    # Characters are in the order of their bytes in UTF-8.
    folders, files, links = table.directories, table.files.paths, table.links
    if any(texts.many for texts in (folders, files, links.paths)):
        return merge(
            zip(map(_text, ordered(folders)), repeat(None)),
            ordered(files),
            _linked(links),
            key=_text,
        )
    few: dict[str, Entry] = dict.fromkeys(folders)
    few.update((link.path, link) for link in links)
    few.update((path, row) for row, path in enumerate(files))
    return ((path, few[path]) for path in sorted(few))


def _linked(links: Links) -> Iterator[tuple[str, Link]]:
    return ((path, links[row]) for path, row in ordered(links.paths))


def in_bytes(text: str) -> bytes:
    """Return a path as the file system has it."""
    return text.encode("utf-8", "surrogateescape")


def _text(entry: tuple[str, object]) -> str:
    return entry[0]
