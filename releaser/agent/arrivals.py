"""The members of an archive on their way in: each is checked while it comes, piece by piece."""

from __future__ import annotations

import hashlib
import os
import threading
import time

from .columns import Members
from .errors import AgentError
from .numbers import left_of, right_of
from .ranges import GAP, Range, coalesced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from .columns import Member

_BLOCK = 256 * 1024


class Stopped(Exception):
    """What was waited for will not come."""


class NotYet(Exception):
    """It is on its way.

    Attributes:
        begun: Whether the fetch is known to have begun.
    """

    def __init__(self, *, begun: bool) -> None:
        super().__init__()
        self.begun = begun


class Absent(Exception):
    """It is not here and will not come.

    Attributes:
        following: Where the next member lies that is or will be here; None if there is none.
    """

    def __init__(self, following: int | None) -> None:
        super().__init__()
        self.following = following


class Half:
    """The member that is on its way in, as far as it has come.

    Attributes:
        member: Which; None between two of them.
        at: Where its next byte lies in the archive.
    """

    def __init__(self) -> None:
        self.turn()

    def turn(self) -> None:
        """Forget it."""
        self.member: Member | None = None
        self.at = 0

    def begin(self, member: Member) -> None:
        """Expect a member's first byte."""
        self.member, self.at, self._digest = member, member.offset, hashlib.sha256()

    def add(self, piece: memoryview) -> None:
        """Take in what follows."""
        self._digest.update(piece)
        self.at += len(piece)

    def is_right(self) -> bool:
        """Whether the member, which is whole, is the one that the file table names."""
        return self.member is not None and self._digest.hexdigest() == self.member.sha256


class Arrivals:
    """A file that is filled in places; a member that was checked is never written again.

    Threads may write that take in different members, each with a `Half` of its own; others may wait
    for members.

    Attributes:
        fetched: Bytes that came, those that nobody wanted or that came twice among them.
        from_peers: How many of these siblings gave.
        half: What has come of a member by the first way.
        report: Called often, with `fetched`, by the thread that has no `Half` of its own alone.
    """

    def __init__(self, file: BinaryIO, members: Members | Iterable[Member]) -> None:
        self._descriptor = file.fileno()
        self._changed = threading.Condition()
        self._over = False
        self._trouble: OSError | None = None
        self._all = members if isinstance(members, Members) else Members(members)
        self._offsets = self._all.offsets
        self._left = bytearray(b"\1") * len(self._all)
        self._many = len(self._left)
        self.fetched = 0
        self.from_peers = 0
        self.report: Callable[[int], None] = lambda _: None
        self.half = Half()

    @property
    def left(self) -> Members:
        """Members that are not here yet, in the order of the archive."""
        with self._changed:
            if not self.begun:
                return self._all
            return self._all.picked(row for row, is_left in enumerate(self._left) if is_left)

    @property
    def complete(self) -> bool:
        """Whether all members that were wanted are here."""
        return not self._many

    @property
    def begun(self) -> bool:
        """Whether any member that was wanted is here."""
        return self._many < len(self._left)

    def turn(self) -> None:
        """Forget half a member: what another source gives must not be blamed for it."""
        self.half.turn()

    def take_up(self) -> None:
        """Count as here what an interrupted fetch has left in the file, and checks."""
        for row in range(len(self._left)):
            if self._left[row] and self._is_here(self._all[row]):
                self._take_off(row)

    def wanted(self, gap: int = GAP) -> list[Range]:
        """Return what to ask for: the members that are left, but what has come of the first.

        Args:
            gap: Bytes between two members that are asked for with them.
        """
        ranges = coalesced(self.left, gap)
        half = self.half
        if half.member is not None and ranges and ranges[0].start == half.member.offset:
            ranges[0] = Range(half.at, ranges[0].end)
        return ranges

    def run_from(self, position: int, most: int) -> Range | None:
        """Return the first members from a position on that are left and follow one another.

        Args:
            position: Where no member is passed.
            most: Bytes; a member that is larger comes alone.
        """
        row = self._first_left(position)
        if row >= 0 and self._offsets[row] < position:
            row = self._left.find(1, row + 1)
        if row < 0:
            return None
        start = self._offsets[row]
        end = start + self._all.lengths[row]
        while (row := self._left.find(1, row + 1)) >= 0:
            length = self._all.lengths[row]
            if self._offsets[row] != end or end + length - start > most:
                break
            end += length
        return Range(start, end)

    def wait_for(self, member: Member) -> None:
        """Wait until a member is here; one that was never wanted is.

        Raises:
            Stopped: It will not come.
        """
        with self._changed:
            while self._lacks(member.offset):
                if self._over:
                    raise Stopped
                self._changed.wait()

    def has(self, member: Member) -> bool:
        """Whether a member is here, or was never wanted."""
        with self._changed:
            return not self._lacks(member.offset)

    def span(self, start: int, end: int, patience: float) -> int:
        """Return up to where all bytes from `start` are here and checked, `end` at most.

        Args:
            start: Where a member begins.
            end: Where one ends.
            patience: Seconds to wait for the first member.

        Raises:
            NotYet: It did not come in that time.
            Absent: No such member comes.
        """
        index = left_of(self._offsets, start)
        if index == len(self._all) or self._offsets[index] != start:
            raise Absent(self._following(index))
        until = time.monotonic() + patience
        with self._changed:
            while self._lacks(self._offsets[index]):
                left = until - time.monotonic()
                if self._over:
                    raise Absent(self._following(index + 1))
                if left <= 0:
                    raise NotYet(begun=True)
                self._changed.wait(left)
            position = start
            for row in range(index, len(self._all)):
                offset = self._offsets[row]
                after = offset + self._all.lengths[row]
                if offset != position or after > end or self._lacks(offset):
                    break
                position = after
            return position

    def _following(self, index: int) -> int | None:
        return self._offsets[index] if index < len(self._offsets) else None

    def end(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def fail(self, trouble: OSError) -> None:
        """Let the next write fail: what has come is of no use."""
        self._trouble = trouble

    def write(self, position: int, data: bytes, half: Half | None = None) -> None:
        """Take bytes of the archive that lie at a position.

        Args:
            position: Where they lie.
            data: The bytes.
            half: What has come before them by the same way; None for the first way.

        Raises:
            AgentError: `corrupt`: a member that is whole with them is not what it should be.
            OSError: They cannot be written, or `fail` was called.
        """
        if self._trouble is not None:
            raise self._trouble
        with self._changed:
            self.fetched += len(data)
        piece = memoryview(data)
        while piece:
            member = self._left_at(position)
            if member is None:
                break
            gap = member.offset - position
            if gap <= 0:
                taken = piece[: member.offset + member.length - position]
                self._take(member, half or self.half, position, taken)
            else:
                taken = piece[:gap]
            position += len(taken)
            piece = piece[len(taken) :]
        if half is None:
            self.report(self.fetched)

    def _take(self, member: Member, half: Half, position: int, piece: memoryview) -> None:
        if position == member.offset:
            half.begin(member)
        elif half.member != member or half.at != position:
            return  # Without its beginning it can never be found right.
        half.add(piece)
        while piece:
            written = os.pwrite(self._descriptor, piece, position)
            position += written
            piece = piece[written:]
        if half.at < member.offset + member.length:
            return
        right = half.is_right()
        half.turn()
        if not right:
            raise AgentError("corrupt", "gave other bytes than the manifest names")
        with self._changed:
            row = right_of(self._offsets, member.offset) - 1
            if self._left[row]:
                self._take_off(row)
            self._changed.notify_all()

    def _left_at(self, position: int) -> Member | None:
        """Return the first member that is left and does not end before a position."""
        with self._changed:
            row = self._first_left(position)
            return self._all[row] if row >= 0 else None

    def _first_left(self, position: int) -> int:
        """Return the row of that member, -1 if there is none."""
        row = right_of(self._offsets, position)
        if row and self._offsets[row - 1] + self._all.lengths[row - 1] > position:
            row -= 1
        return self._left.find(1, row)

    def _take_off(self, row: int) -> None:
        self._left[row] = False
        self._many -= 1

    def _lacks(self, offset: int) -> bool:
        row = self._first_left(offset)
        return row >= 0 and self._offsets[row] <= offset

    def _is_here(self, member: Member) -> bool:
        try:
            # A hole in the file need not be read to be known.
            data_at = os.lseek(self._descriptor, member.offset, os.SEEK_DATA)
        except OSError:
            return False
        if data_at != member.offset:
            return False
        digest = hashlib.sha256()
        position, left = member.offset, member.length
        while left:
            block = os.pread(self._descriptor, min(_BLOCK, left), position)
            if not block:
                return False
            digest.update(block)
            position += len(block)
            left -= len(block)
        return digest.hexdigest() == member.sha256
