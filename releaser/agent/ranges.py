"""Which bytes of an archive are needed for some of its files, and in how many requests; no I/O."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .columns import Member, Members
    from .table import Table

# A gap costs less to fetch than another request does.
GAP = 64 * 1024
# What a request costs beside its bytes, in bytes.
REQUEST = 32 * 1024


class NoRanges(Exception):
    """A source gives nothing but the whole."""


class Range(NamedTuple):
    """Bytes from `start` to before `end`."""

    start: int
    end: int


def members_of(table: Table, files: Iterable[int]) -> array[int]:
    """Return the indexes of the members that hold the content of these rows of files, ascending."""
    starts = array("q", [0])
    for length in table.members.raw_lengths:
        starts.append(starts[-1] + length)
    needed = bytearray(len(table.members))
    for row in files:
        size, position = table.files.sizes[row], table.files.positions[row]
        if not size:
            continue
        index = bisect_right(starts, position) - 1
        end = position + size
        while index < len(needed) and starts[index] < end:
            needed[index] = True
            index += 1
    return array("q", (index for index, is_needed in enumerate(needed) if is_needed))


def coalesced(members: Members, gap: int = GAP) -> list[Range]:
    """Return the ranges that hold these members, gaps of so many bytes between them included.

    Args:
        members: Ascending.
        gap: Bytes.
    """
    found: list[Range] = []
    for offset, length in zip(members.offsets, members.lengths):
        end = offset + length
        if found and offset - found[-1].end <= gap:
            found[-1] = Range(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Range(offset, end))
    return found


def pieces(ranges: Iterable[Range], members: Iterable[Member], most: int) -> Iterator[Range]:
    """Cut ranges where members begin.

    Args:
        ranges: Ascending.
        members: Those that are wanted, ascending; each lies in one range, but what has come of it.
        most: Bytes of a piece; one that begins with a larger member has more.
    """
    left = iter(members)
    member = next(left, None)
    for start, end in ranges:
        begin = start
        while member is not None and member.offset < end:
            if member.offset > begin and member.offset + member.length - begin > most:
                yield Range(begin, member.offset)
                begin = member.offset
            member = next(left, None)
        yield Range(begin, end)


def size_of(ranges: Collection[Range]) -> int:
    """Return how many bytes these ranges have."""
    return sum(end - start for start, end in ranges)


def worthwhile(ranges: Collection[Range], archive_size: int) -> bool:
    """Whether asking for these ranges costs less than the whole archive."""
    return size_of(ranges) + len(ranges) * REQUEST < archive_size


def cost(ranges: Collection[Range], archive_size: int) -> int:
    """Return what fetching these ranges costs, or the whole archive if that is less, in bytes."""
    return min(size_of(ranges) + len(ranges) * REQUEST, archive_size + REQUEST)
