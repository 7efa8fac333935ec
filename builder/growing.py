"""What this build makes of a finished part of the tree, read while it is still being written.

The archive is put together from it as a later build puts its own together from what `settled`
reads, but for the members, which are taken as they come, and not when all have come.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from threading import Condition
from typing import BinaryIO

from castoff.builder.compression import MadeUnit
from castoff.builder.settled import Settled, SettledRun


class NotKept(Exception):
    """What is made cannot be kept, and so not be read: the archive is to be made without it."""


class Growing(Settled):
    """An entry that another thread writes; what is asked of it is waited for.

    How many members there are, and what the file table has of them, is known when `members` has
    come to its end.
    """

    def __init__(self, sections: Sequence[bytes], *, size: int) -> None:
        """Begin with nothing.

        Args:
            sections: What `sections_of` returned of the part's entries.
            size: Bytes of all its files together.
        """
        *_, self._directories, self._links, self._lines = sections
        self.size = size
        self.end = 0
        self._table = b""
        self._runs: list[SettledRun] = []
        self._begins: dict[int, int] = {}
        self._descriptor = -1
        self._whole = False
        self._error: BaseException | None = None
        self._changed = Condition()

    def follow(self, file: BinaryIO) -> None:
        """Take the file that members are written to from its beginning on; it can be read, too."""
        self._descriptor = os.dup(file.fileno())

    def add(self, made: MadeUnit, pieces: Sequence[bytes]) -> None:
        """Take note of a unit that has been written.

        Args:
            made: The next one.
            pieces: Rows of the file table, for each of its members.
        """
        with self._changed:
            for member, piece in zip(made.members, pieces, strict=True):
                # Of the slices of a large file the first one counts.
                self._begins.setdefault(member.first, len(self._runs))
                self._runs.append(member.settled(len(piece)))
            self.end = made.unit.end
            self._changed.notify_all()

    def complete(self, table: bytes) -> None:
        """Say that all units have been added.

        Args:
            table: The rows of the file table.
        """
        with self._changed:
            self._table, self._whole = table, True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Let whoever waits for what does not come have an error instead."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def run_at(self, entry: int) -> int | None:
        """Return the number of the run that begins with an entry, or None."""
        with self._changed:
            while self.end <= entry and not self._whole:
                self._wait()
            return self._begins.get(entry)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            super().close()

    def _following(self, first: int) -> Iterator[Sequence[SettledRun]]:
        while True:
            with self._changed:
                while len(self._runs) == first and not self._whole:
                    self._wait()
                runs = self._runs[first:]
            if not runs:
                return
            yield runs
            first += len(runs)

    def _wait(self) -> None:
        if self._error is not None:
            raise self._error
        self._changed.wait()
