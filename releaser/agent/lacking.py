"""What of a release has to come from elsewhere, and in which way it comes cheapest; no I/O."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from .ranges import REQUEST, coalesced, cost, members_of, size_of, worthwhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from .columns import Members
    from .patch import Patch
    from .reuse import Wanted


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


def lacking(wanted: Wanted, here: Collection[str]) -> Lacking:
    """Return what is lacking where the files at the paths `here` are there."""
    table, size = wanted.table, wanted.manifest.archive_size
    files = array("q", (row for row, path in enumerate(table.files.paths) if path not in here))
    needed = members_of(table, files)
    # All of them need no second copy.
    every = len(needed) == len(table.members)
    members = table.members if every else table.members.picked(needed)
    ranges = coalesced(members)
    content = sum(table.files.sizes[row] for row in files)
    return Lacking(content, members, size_of(ranges) if worthwhile(ranges, size) else size)


def saves(patch: Patch, wanted: Wanted, here: Collection[str], left: Members) -> bool:
    """Whether a patch costs less than the members that it makes needless.

    Args:
        patch: The patch.
        wanted: The release.
        here: Paths of the files that are there.
        left: The members that have to be fetched without it.
    """
    archive = wanted.manifest.archive_size
    given = {file.path for file in patch.new}
    after = lacking(wanted, given.union(here)).members
    needed = set(left.offsets)
    rest = after.picked(row for row, at in enumerate(after.offsets) if at in needed)
    with_patch = REQUEST + patch.size + cost(coalesced(rest), archive)
    return with_patch < cost(coalesced(left), archive)


def way_of(fetched: int, archive_size: int) -> str:
    """Return how so many bytes of an archive came: as parts of it, or all of it."""
    return "ranges" if fetched < archive_size else "archive"
