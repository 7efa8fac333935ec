"""Rows that lie on the disk, some at a time."""

from __future__ import annotations

import marshal
from array import array

from .scratch import Scratch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Pages:
    """Lists of rows, each written and read as a whole; any number of threads may read.

    Rows are of what `marshal` knows. Nobody else has the file, so that what is read is what was
    written.
    """

    def __init__(self) -> None:
        self._file = Scratch()
        self._ends = array("q", [0])

    def __len__(self) -> int:
        return len(self._ends) - 1

    def add(self, rows: list[Any]) -> None:
        """Add a page.

        Raises:
            OSError: The disk is full.
        """
        # The second form has no references, by which equal texts would be looked for.
        self._file.add(marshal.dumps(rows, 2))
        self._ends.append(len(self._file))

    def __getitem__(self, number: int) -> list[Any]:
        start = self._ends[number]
        rows: list[Any] = marshal.loads(  # noqa: S302 (written here, and nobody else can)
            self._file.read(start, self._ends[number + 1] - start)
        )
        return rows

    def take(self) -> list[Any]:
        """Return the last page, and forget it."""
        rows = self[len(self) - 1]
        self._ends.pop()
        self._file.cut(self._ends[-1])
        return rows
