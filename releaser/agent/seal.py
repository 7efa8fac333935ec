"""Whether anybody has touched a layer since it was sealed, by what the file system says of it.

The kernel sets an inode's change time (`ctime`, inode(7)) at every write, truncation, chmod, chown,
link and rename, of a folder also when an entry comes or goes; no call sets it to anything but now.
So a layer whose entries all have the inode, size, mode and times that they had is as it was. What
changes beneath the file system (a disk that decays), or by a clock that was set to the very same
nanosecond, shows only in the content.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import time
from itertools import islice

from .durable import unique

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .layout import Layout

# Seconds: between two looks at the file system's clock, and until it must have moved on. It counts
# in steps of up to 10 ms on most file systems, of two seconds on the coarsest.
_LOOK = 0.004
_PATIENCE = 5.0
# Entries that are put into words at once.
_AT_ONCE = 1000


def seal_of(
    top: str,
    names: Iterable[bytes],
    see: Callable[[bytes, os.stat_result], None] = lambda _name, _status: None,
) -> str:
    """Return the digest of what the file system says of a layer and every entry in it.

    That there are no others than those named, the folders' own times say.

    Args:
        top: The layer.
        names: The path of each entry from there.
        see: Called with each of them, in that order, and with what the file system says of it.

    Raises:
        OSError: An entry is not there, or cannot be seen.
    """
    digest = hashlib.sha256()
    left = iter(names)
    look = os.lstat
    # From the open folder on, so that the kernel need not find that anew for each.
    folder = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        digest.update(_said([os.fstat(folder)]))
        while some := list(islice(left, _AT_ONCE)):
            digest.update(b"\0".join([*some, b""]))
            found = [look(name, dir_fd=folder) for name in some]
            for name, status in zip(some, found):
                see(name, status)
            digest.update(_said(found))
    finally:
        os.close(folder)
    return digest.hexdigest()


def _said(entries: list[os.stat_result]) -> bytes:
    """Return what counts of some entries; the second form of `marshal` is the same everywhere."""
    return marshal.dumps(
        [(at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_mode) for at in entries], 2
    )


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
