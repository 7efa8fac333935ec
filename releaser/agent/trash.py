"""Folders that are no longer wanted: first out of sight by a rename, then deleted."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from itertools import islice

from .durable import sync_folder, unique
from .layout import Layout
from .processes import Uses, uses_of
from .space import BLOCK
from .stack import Stack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Entries of a folder that are looked at before any of them is deleted.
_AT_ONCE = 1000

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def discard(layout: Layout, version: str) -> None:
    """Take a release out of `releases/`; it is gone from there at one stroke."""
    os.rename(layout.release(version), unique(layout.trash, version))
    sync_folder(layout.releases)
    discard_writable(layout, version)
    discard_rendered(layout, version)


def discard_writable(layout: Layout, version: str) -> None:
    """Take away what the app wrote into a release's writable folders, if it has any."""
    _discard(layout, os.path.join(layout.writable, version))


def discard_rendered(layout: Layout, version: str) -> None:
    """Take away the configuration files that were rendered for a release, if it has any."""
    _discard(layout, os.path.join(layout.config, version))


def _discard(layout: Layout, path: str) -> None:
    try:
        os.rename(path, unique(layout.trash, os.path.basename(path)))
    except FileNotFoundError:
        return


def empty_trash(layout: Layout, uses: Uses | None = None) -> int:
    """Delete what was discarded, except what a process still runs from.

    Returns:
        How many bytes of disk that gave back.
    """
    names = os.listdir(layout.trash)
    if not names:
        return 0
    used = (uses_of(layout) if uses is None else uses).of(layout.trash)
    paths = [os.path.join(layout.trash, name) for name in names if name not in used]
    return sum(map(delete, paths))


def weigh(path: str) -> int:
    """Return how many bytes of disk go with a tree."""
    total = 0
    for folder in folders_of(path):
        with suppress(PermissionError), os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_blocks * BLOCK
    return total


def folders_of(top: str) -> Iterator[str]:
    """Yield a folder and all below it, each before it is looked into, as far as that may be."""
    left = Stack([top])
    while left:
        folder = left.pop()
        yield folder
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.push(entry.path)


def empty_staging(layout: Layout, *, spare: str | None = None) -> None:
    """Delete what an interrupted prepare has left, but for the entry `spare`."""
    for name in os.listdir(layout.staging):
        if name == spare:
            continue
        try:
            delete(os.path.join(layout.staging, name))
        except OSError as error:
            # Where a file system knows no files without a name, one that somebody has open has
            # none yet, or another one until then (NFS), and goes by itself.
            if error.errno not in (errno.ENOENT, errno.EBUSY):
                raise


def delete(path: str) -> int:
    """Delete a file or a tree; what of a tree cannot be deleted now is tried again the next time.

    Returns:
        How many bytes of disk that gave back, as `weigh` counts them.

    Raises:
        OSError: The file cannot be deleted.
    """
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(path)
        return status.st_blocks * BLOCK
    freed = 0
    with suppress(OSError):
        freed = _empty(os.open(path, _FOLDER))
        os.rmdir(path)
    return freed


def _empty(folder: int) -> int:
    """Delete all in an open folder, never by way of a link, and close it."""
    freed = left = 0
    try:
        while True:
            with os.scandir(folder) as found:
                entries = list(islice(found, left, left + _AT_ONCE))
            for entry in entries:
                try:
                    if entry.is_dir(follow_symlinks=False):
                        freed += _empty(os.open(entry.name, _FOLDER, dir_fd=folder))
                        os.rmdir(entry.name, dir_fd=folder)
                    else:
                        weight = entry.stat(follow_symlinks=False).st_blocks * BLOCK
                        os.unlink(entry.name, dir_fd=folder)
                        freed += weight
                except OSError:
                    left += 1
            if len(entries) < _AT_ONCE:
                return freed
    finally:
        os.close(folder)
