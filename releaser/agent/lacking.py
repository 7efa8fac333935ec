"""What of a release has to come from elsewhere, and in which way it comes cheapest; no I/O."""

from __future__ import annotations

from typing import NamedTuple

from .ranges import REQUEST, coalesced, cost, members_of, size_of, worthwhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from .patch import Patch
    from .reuse import Wanted
    from .table import File, Member


class Lacking(NamedTuple):
    """What has to come from elsewhere.

    Attributes:
        files: Those that are not here.
        members: The members that hold them.
        size: How many bytes that is, gaps between members included, or those of the whole archive
            where that costs less.
    """

    files: list[File]
    members: list[Member]
    size: int


def lacking(wanted: Wanted, here: Collection[str]) -> Lacking:
    """Return what is lacking where the files at the paths `here` are there."""
    table, size = wanted.table, wanted.manifest.archive_size
    files = [file for file in table.files if file.path not in here]
    members = [table.members[index] for index in members_of(table, files)]
    ranges = coalesced(members)
    return Lacking(files, members, size_of(ranges) if worthwhile(ranges, size) else size)


def saves(patch: Patch, wanted: Wanted, here: Collection[str], left: Collection[Member]) -> bool:
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
    needed = set(left)
    rest = [member for member in after if member in needed]
    with_patch = REQUEST + patch.size + cost(coalesced(rest), archive)
    return with_patch < cost(coalesced(left), archive)


def way_of(fetched: int, archive_size: int) -> str:
    """Return how so many bytes of an archive came: as parts of it, or all of it."""
    return "ranges" if fetched < archive_size else "archive"
