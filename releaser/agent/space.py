"""Free space and inodes where a folder lies or will lie."""

from __future__ import annotations

import os

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .table import Table

# The unit of st_blocks, whatever the file system's own (stat(2)).
BLOCK = 512
# What a file takes on the usual file systems is a whole number of these.
_UNIT = 4096


def free(path: str) -> tuple[int, int | None]:
    """Return free bytes and inodes for an unprivileged user.

    Of a folder that is not there yet, the nearest one above it counts. Inodes are None where
    the file system makes them as needed (btrfs).
    """
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None


def require_bytes(path: str, need: int) -> None:
    """Make sure of `need` free bytes.

    Raises:
        AgentError: `no-space`.
    """
    there = free(path)[0]
    if there < need:
        raise _lack(f"{_megabytes(there)} free, {_megabytes(need)} needed")


def require_for_release(path: str, table: Table, fetched: int) -> None:
    """Make sure that what is fetched and written fits, with a tenth to spare.

    Args:
        path: Where.
        table: The release's tree.
        fetched: Bytes that come from elsewhere.

    Raises:
        AgentError: `no-space`.
    """
    tree = sum(-(-size // _UNIT) * _UNIT for size in table.files.sizes)
    entries = len(table.files) + len(table.directories) + len(table.links)
    need = (fetched + tree + len(table.directories) * _UNIT) * 11 // 10
    require_bytes(path, need)
    inodes = free(path)[1]
    if inodes is not None and inodes < entries * 11 // 10:
        raise _lack(f"{inodes} inodes free, {entries * 11 // 10} needed")


def _lack(sentence: str) -> AgentError:
    return AgentError(
        "no-space",
        f"not enough space for the release: {sentence}",
        "Free some on the host (castoff prune removes old releases), or lower `keep` so that "
        "fewer stay there.",
    )


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"
