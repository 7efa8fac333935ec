"""What the file system says of a tree: whether anything in it was changed since it was sealed.

The kernel sets an inode's change time (`ctime`, inode(7)) at every write, truncation, chmod, chown,
link and rename, of a folder also when an entry comes or goes, and no call sets it to anything but
now. So a tree whose entries all have the inode, size, mode and times that they had is as it was,
and has been all the time since.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Seconds between two looks at the file system's clock, and until it must have moved on. It counts
# in steps of up to 10 ms on most file systems, of two seconds on the coarsest.
_LOOK = 0.004
_PATIENCE = 5.0
_MISSING = (0, 0, 0, 0, 0)
_WORD = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Look:
    """What was found.

    Attributes:
        digest: Over inode, size, mode, time of change and of the inode's change of each entry.
        changed: The latest of the inodes' changes, nanoseconds since the epoch.
    """

    digest: str
    changed: int


def look(top: Path, paths: Iterable[str]) -> Look:
    """Look at each entry of a tree, at none of its contents.

    That there are no other entries, the folders' own times say.

    Args:
        top: Where its paths begin.
        paths: All folders, files and links; one that is missing counts as changed.

    Raises:
        OSError: `top` is missing, or an entry cannot be seen.
    """
    found = array("Q")
    folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for path in paths:
            try:
                its = os.stat(path, dir_fd=folder, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                found.extend(_MISSING)
                continue
            # Somebody may have set a time before 1970.
            times = (its.st_mtime_ns & _WORD, its.st_ctime_ns & _WORD)
            found.extend((its.st_ino, its.st_size, its.st_mode, *times))
    finally:
        os.close(folder)
    return Look(hashlib.sha256(found).hexdigest(), max(found[4::5], default=0))


def wait_for_clock(descriptor: int) -> None:
    """Wait until a change made from now on has another time than all that were made before.

    Within one step of the file system's clock a second change cannot be told from the first.

    Args:
        descriptor: A file of ours on that file system, to read its clock by.

    Raises:
        OSError: The clock stands, or was set back, and so proves nothing.
    """
    os.utime(descriptor)
    before = os.fstat(descriptor).st_ctime_ns
    until = time.monotonic() + _PATIENCE
    while os.fstat(descriptor).st_ctime_ns <= before:
        if time.monotonic() >= until:
            raise TimeoutError(errno.ETIME, "the clock of this file system stands still")
        time.sleep(_LOOK)
        os.utime(descriptor)
