"""Whole numbers in a row: of many, most lie on the disk."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from .scratch import Scratch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Union

    Column = Union["array[int]", "Numbers"]

# Numbers that are read at once, and that are kept in memory at the end.
_PAGE = 4096
_BYTES = 8
# Rows of a table whose numbers are kept in memory as they are: 8 bytes each take the least time.
MANY = 30_000


class Numbers:
    """Numbers of 64 bits; any number of threads may read once nothing is added any more."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._file = Scratch()
        # Of each page in the file.
        self._firsts = array("q")
        self._recent = array("q")
        self._loaded = (-1, self._recent)
        for number in numbers:
            self.append(number)

    def __len__(self) -> int:
        return len(self._firsts) * _PAGE + len(self._recent)

    def append(self, number: int) -> None:
        """Add one.

        Raises:
            OSError: The disk is full.
            OverflowError: It has more than 64 bits.
        """
        self._recent.append(number)
        if len(self._recent) == _PAGE:
            self._file.add(memoryview(self._recent).cast("B"))
            self._firsts.append(self._recent[0])
            self._recent = array("q")

    def __getitem__(self, index: int) -> int:
        if index < 0:
            index += len(self)
        page, at = divmod(index, _PAGE)
        number, numbers = self._loaded
        if number != page:
            numbers = self._page(page)
        return numbers[at]

    def __iter__(self) -> Iterator[int]:
        for page in range(len(self._firsts) + 1):
            yield from self._page(page)

    def left(self, number: int) -> int:
        """Return what `bisect_left` does; they must ascend."""
        # The first of the same may be in the page before the one that begins with it.
        page = max(bisect_left(self._firsts, number) - 1, 0)
        at = page * _PAGE + bisect_left(self._page(page), number)
        if at == (page + 1) * _PAGE and page + 1 == len(self._firsts):
            at += bisect_left(self._recent, number)
        return at

    def right(self, number: int) -> int:
        """Return what `bisect_right` does; they must ascend."""
        page = max(bisect_right(self._firsts, number) - 1, 0)
        at = page * _PAGE + bisect_right(self._page(page), number)
        if at == (page + 1) * _PAGE and page + 1 == len(self._firsts):
            at += bisect_right(self._recent, number)
        return at

    def _page(self, page: int) -> array[int]:
        if page == len(self._firsts):
            return self._recent
        number, numbers = self._loaded
        if number != page:
            numbers = array("q")
            numbers.frombytes(self._file.read(page * _PAGE * _BYTES, _PAGE * _BYTES))
            # At one stroke: another thread may read elsewhere.
            self._loaded = page, numbers
        return numbers


def column(count: int) -> Column:
    """Return an empty column for so many numbers."""
    return array("q") if count <= MANY else Numbers()


def left_of(ascending: Column, number: int) -> int:
    """Return where numbers begin that are not less than one."""
    if isinstance(ascending, Numbers):
        return ascending.left(number)
    return bisect_left(ascending, number)


def right_of(ascending: Column, number: int) -> int:
    """Return where numbers begin that are more than one."""
    if isinstance(ascending, Numbers):
        return ascending.right(number)
    return bisect_right(ascending, number)
