"""Which bytes of an archive are needed for some of its files, and in how many requests; no I/O."""

from __future__ import annotations

from array import array

from .named_tuple import NamedTuple
from .numbers import MANY, Numbers, right_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from .columns import Member, Members
    from .numbers import Column
    from .table import Table

# A gap costs less to fetch than another request does.
GAP = 64 * 1024
# What a request costs beside its bytes, in bytes.
REQUEST = 32 * 1024
# Ranges of one archive; each takes 150 bytes of memory.
_MOST = 16_384


class NoRanges(Exception):
    """A source gives nothing but the whole."""


class Range(NamedTuple):
    """Bytes from `start` to before `end`."""

    start: int
    end: int


def members_of(table: Table, files: Iterable[int]) -> Column:
    """Return the indexes of the members that hold the content of these rows of files, ascending."""
    starts, sizes, positions = table.members.starts(), table.files.sizes, table.files.positions
    needed = bytearray(len(table.members))
    for row in files:
        size, position = sizes[row], positions[row]
        if not size:
            continue
        index = right_of(starts, position) - 1
        end = position + size
        while index < len(needed) and starts[index] < end:
            needed[index] = True
            index += 1
    found = (index for index, is_needed in enumerate(needed) if is_needed)
    return array("q", found) if len(needed) < MANY else Numbers(found)


def coalesced(members: Members, gap: int = GAP) -> list[Range]:
    """Return the ranges that hold these members, gaps of so many bytes between them included.

    Args:
        members: Ascending.
        gap: Bytes; more where there would be very many ranges.
    """
    found: list[Range] = []
    for offset, length in zip(members.offsets, members.lengths):
        _join(found, Range(offset, offset + length), gap)
        if len(found) > 2 * _MOST:
            # So many requests would take longer than what lies between them.
            while len(found) > _MOST:
                gap = 2 * gap + 1
                found = _joined(found, gap)
    return found


def _joined(ranges: list[Range], gap: int) -> list[Range]:
    found: list[Range] = []
    for one in ranges:
        _join(found, one, gap)
    return found


def _join(found: list[Range], one: Range, gap: int) -> None:
    if found and one.start - found[-1].end <= gap:
        found[-1] = Range(found[-1].start, max(one.end, found[-1].end))
    else:
        found.append(one)


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
