"""Whether anybody has touched a layer since it was sealed, by what the file system says of it.

The kernel sets an inode's change time (`ctime`, inode(7)) at every write, truncation, chmod, chown,
link and rename, of a folder also when an entry comes or goes; no call sets it to anything but now.
So a layer whose entries all have the inode, size, mode and times that they had is as it was. What
changes beneath the file system (a disk that decays), or by a clock that was set to the very same
nanosecond, shows only in the content.
"""

from __future__ import annotations

import hashlib
import os
import time

from .durable import unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .table import Table

# Seconds: between two looks at the file system's clock, and until it must have moved on. It counts
# in steps of up to 10 ms on most file systems, of two seconds on the coarsest.
_LOOK = 0.004
_PATIENCE = 5.0


def seal_of(top: str, part: Table, skip: int) -> str:
    """Return the digest of what the file system says of every entry of a layer.

    The table says which these are: that there are no others, the folders' own times say.

    Args:
        top: The layer.
        part: What of a release's table it holds.
        skip: How many characters of the table's paths do not count.

    Raises:
        OSError: An entry is not there, or cannot be seen.
    """
    place = os.fsencode(top) + b"/"
    digest = hashlib.sha256()
    paths = part.directories + part.files.paths + [at.path for at in part.links]
    look = os.lstat
    for path in paths:
        name = path[skip:].encode()
        its = look(place + name)
        digest.update(
            b"%d %d %d %d %o %b\0"
            % (its.st_ino, its.st_size, its.st_mtime_ns, its.st_ctime_ns, its.st_mode, name)
        )
    return digest.hexdigest()


def clock_moves_on(layout: Layout, top: str) -> bool:
    """Wait until a change of `top` made now would have another time than its last one.

    Within one step of the file system's clock a second change cannot be told from the first.

    Returns:
        Whether it has moved on; a clock that stands, or was set back, proves nothing.
    """
    before = os.lstat(top).st_ctime_ns
    probe = unique(layout.staging, "clock")
    until = time.monotonic() + _PATIENCE
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        while os.lstat(probe).st_ctime_ns <= before:
            if time.monotonic() >= until:
                return False
            time.sleep(_LOOK)
            os.utime(probe)
    finally:
        os.unlink(probe)
    return True
