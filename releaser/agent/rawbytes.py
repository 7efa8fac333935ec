"""The raw bytes of all members of an archive, joined, read once from front to back."""

from __future__ import annotations

from .errors import AgentError
from .inflate import raw_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from .columns import Member, Members


class RawBytes:
    """Spans of the row of raw bytes; members that hold none of what is asked are never read."""

    def __init__(
        self, archive: BinaryIO, members: Members, ready: Callable[[Member], None]
    ) -> None:
        """Take the archive, all of its members, and what returns once one of them can be read."""
        self._archive = archive
        self._ready = ready
        self._members = members
        self._index = 0
        self._blocks: Iterator[bytes] = iter(())
        # Where the present block and the present member lie in the row.
        self._begin = self._end = self._member_end = 0
        self._block = memoryview(b"")

    def span(self, position: int, size: int) -> Iterator[memoryview]:
        """Yield `size` bytes from `position`, which no later call may come before.

        Raises:
            AgentError: `corrupt`: a member is damaged.
        """
        while size:
            while position >= self._end:
                self._next(position)
            piece = self._block[position - self._begin :][:size]
            yield piece
            position += len(piece)
            size -= len(piece)

    def finish(self) -> None:
        """Read the present member to its end, so that all of it is held against the table.

        Raises:
            AgentError: `corrupt`: it holds more or less than it should.
        """
        for _ in self._blocks:
            continue

    def _next(self, position: int) -> None:
        block = next(self._blocks, None) if position < self._member_end else None
        while block is None:
            self.finish()
            if self._index == len(self._members):
                raise AgentError("corrupt", "the archive ends before the last file")
            self._end = self._member_end
            self._member_end += self._members.raw_lengths[self._index]
            self._index += 1
            if position < self._member_end:
                member = self._members[self._index - 1]
                self._ready(member)
                self._blocks = raw_blocks(self._archive, member)
                block = next(self._blocks, None)
        self._begin, self._end = self._end, self._end + len(block)
        self._block = memoryview(block)
