"""Sort what may be too much for memory: sorted runs on the disk, merged while they are read.

Knuth, The Art of Computer Programming, volume 3, section 5.4.
"""

from __future__ import annotations

from heapq import merge
from itertools import islice

from .generic import Generic, TypeVar
from .pages import Pages
from .texts import FEW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any  # noqa: F401 (in the text below)

T = TypeVar("T", bound="tuple[Any, ...]")

# Rows of a run that are in memory while runs are merged, and runs that are merged at once.
_ROWS = 64
_MOST_RUNS = 64


class Sorting(Generic[T]):
    """Rows that come in any order and are read in theirs, as often as needed.

    Rows are compared as they are, and of what `marshal` knows.
    """

    def __init__(self, rows: Iterable[T] = ()) -> None:
        self._recent: list[T] = []
        self._sorted = True
        self._runs: list[Pages] = []
        self._in_runs = 0
        for row in rows:
            self.add(row)

    def __len__(self) -> int:
        return self._in_runs + len(self._recent)

    def add(self, row: T) -> None:
        """Add a row.

        Raises:
            OSError: The disk is full.
        """
        self._recent.append(row)
        self._sorted = False
        if len(self._recent) > FEW:
            self._recent.sort()
            self._in_runs += len(self._recent)
            self._runs.append(_run(self._recent))
            self._recent = []
            if len(self._runs) >= _MOST_RUNS:
                self._runs = [_run(merge(*map(_rows, self._runs)))]

    def __iter__(self) -> Iterator[T]:
        if not self._sorted:
            self._recent.sort()
            self._sorted = True
        if not self._runs:
            return iter(self._recent)
        return merge(*map(_rows, self._runs), self._recent)


def _run(rows: Iterable[T]) -> Pages:
    pages, left = Pages(), iter(rows)
    while some := list(islice(left, _ROWS)):
        pages.add(some)
    return pages


def _rows(run: Pages) -> Iterator[T]:
    for number in range(len(run)):
        yield from run[number]
