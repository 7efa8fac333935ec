"""Which bytes of an archive are needed for some of its files, and in how many requests; no I/O."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .table import File, Member, Table

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


def members_of(table: Table, files: Iterable[File]) -> list[int]:
    """Return the indexes of the members that hold the content of these files, ascending."""
    starts = [0]
    for member in table.members:
        starts.append(starts[-1] + member.raw_length)
    needed = set()
    for file in files:
        if not file.size:
            continue
        index = bisect_right(starts, file.position) - 1
        end = file.position + file.size
        while index < len(table.members) and starts[index] < end:
            needed.add(index)
            index += 1
    return sorted(needed)


def coalesced(members: Iterable[Member], gap: int = GAP) -> list[Range]:
    """Return the ranges that hold these members, gaps of so many bytes between them included."""
    found: list[Range] = []
    for member in sorted(members, key=lambda member: member.offset):
        end = member.offset + member.length
        if found and member.offset - found[-1].end <= gap:
            found[-1] = Range(found[-1].start, max(end, found[-1].end))
        else:
            found.append(Range(member.offset, end))
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
