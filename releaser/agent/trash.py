"""Folders that are no longer wanted: first out of sight by a rename, then deleted."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from .durable import sync_folder, unique
from .layout import Layout
from .processes import Uses, uses_of
from .space import BLOCK

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
    for folder, _, names in os.walk(path):
        for name in names:
            total += os.lstat(os.path.join(folder, name)).st_blocks * BLOCK
    return total


def empty_staging(layout: Layout, *, spare: str | None = None) -> None:
    """Delete what an interrupted prepare has left, but for the entry `spare`."""
    for name in os.listdir(layout.staging):
        if name != spare:
            delete(os.path.join(layout.staging, name))


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
    freed = 0
    try:
        with os.scandir(folder) as found:
            entries = list(found)
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
                continue
    finally:
        os.close(folder)
    return freed
