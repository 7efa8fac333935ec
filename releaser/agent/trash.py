"""Folders that are no longer wanted: first out of sight by a rename, then deleted."""

from __future__ import annotations

import os

from .durable import sync_folder, unique
from .layout import Layout
from .processes import processes_in
from .space import BLOCK


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


def empty_trash(layout: Layout) -> None:
    """Delete what was discarded, except what a process still runs from."""
    names = os.listdir(layout.trash)
    used = processes_in(layout.trash) if names else {}
    for name in names:
        if name not in used:
            delete(os.path.join(layout.trash, name))


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


def delete(path: str) -> None:
    """Delete a file or a tree; what cannot be deleted now is tried again the next time."""
    import shutil

    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)
