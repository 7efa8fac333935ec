"""What of a release has to come from elsewhere, and in which way it comes cheapest; no I/O."""

from __future__ import annotations

from .named_tuple import NamedTuple
from .numbers import left_of
from .ranges import REQUEST, coalesced, cost, members_of, size_of, worthwhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .columns import Members
    from .numbers import Column
    from .patch import Patch
    from .table import Table


class Lacking(NamedTuple):
    """What has to come from elsewhere.

    Attributes:
        content: Bytes of the files that are not here.
        members: The members that hold those.
        size: How many bytes that is, gaps between members included, or those of the whole archive
            where that costs less.
    """

    content: int
    members: Members
    size: int


def lacking(own: Table, archive_size: int, have: bytearray) -> Lacking:
    """Return what is lacking of a release.

    Args:
        own: Its table, of that part of it which is not in a layer.
        archive_size: Bytes of its archive.
        have: For each row about a file, whether that is here.
    """
    needed = members_of(own, (row for row, is_here in enumerate(have) if not is_here))
    # All of them need no second copy.
    every = len(needed) == len(own.members)
    members = own.members if every else own.members.picked(needed)
    ranges = coalesced(members)
    content = sum(size for size, is_here in zip(own.files.sizes, have) if not is_here)
    size = size_of(ranges) if worthwhile(ranges, archive_size) else archive_size
    return Lacking(content, members, size)


def saves(patch: Patch, own: Table, archive_size: int, have: bytearray, left: Members) -> bool:
    """Whether a patch costs less than the members that it makes needless.

    Args:
        patch: The patch.
        own: As for `lacking`.
        archive_size: Likewise.
        have: Likewise.
        left: The members that have to be fetched without it.
    """
    given = with_patch(own, have, patch)
    after = lacking(own, archive_size, given).members
    rest = after.picked(row for row, at in enumerate(after.offsets) if _is_in(left.offsets, at))
    by_patch = REQUEST + patch.size + cost(coalesced(rest), archive_size)
    return by_patch < cost(coalesced(left), archive_size)


def with_patch(
    own: Table, have: bytearray, patch: Patch, made: bytearray | None = None
) -> bytearray:
    """Return which files are here if those of a patch are, too.

    Args:
        own: As for `lacking`.
        have: Likewise.
        patch: The patch.
        made: For each row of what comes of it, whether that came; None for all of it.
    """
    found = bytearray(have)
    for row, path in enumerate(own.files.paths):
        if not have[row]:
            given = patch.rows.find(path)
            found[row] = given >= 0 and (made is None or made[given])
    return found


def _is_in(ascending: Column, value: int) -> bool:
    index = left_of(ascending, value)
    return index < len(ascending) and ascending[index] == value


def way_of(fetched: int, archive_size: int) -> str:
    """Return how so many bytes of an archive came: as parts of it, or all of it."""
    return "ranges" if fetched < archive_size else "archive"
