"""The one link that decides what is served."""

from __future__ import annotations

import os
import stat
import time

from .durable import replace_link, sync_folder
from .errors import AgentError
from .layout import Layout
from .parameters import is_version


def read_current(layout: Layout) -> str | None:
    """Return the version that `current` points to; as `read_link`."""
    return read_link(layout, layout.current)


def read_link(layout: Layout, path: str) -> str | None:
    """Return the version that a link in the root points to, or None if there is no such link.

    Raises:
        AgentError: `invalid`: something stands there that Castoff did not make.
    """
    try:
        mode = os.lstat(path).st_mode
        target = os.readlink(path) if stat.S_ISLNK(mode) else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    if target is not None:
        folder, _, version = target.rpartition("/")
        if is_version(version) and folder in ("releases", layout.releases):
            return version
    raise AgentError(
        "invalid",
        f"{path} is not a link to one of Castoff's releases",
        "Something else made it. Move it away, or choose another root for the app.",
    )


def point_current(layout: Layout, version: str | None) -> float:
    """Flip `current` to a version, or take it away; return the wall clock's time of the flip.

    Raises:
        AgentError: `internal`: what is read back is not what was written.
        OSError: The file system refused.
    """
    if version is not None:
        replace_link(f"releases/{version}", layout.current, layout.staging)
    elif read_current(layout) is not None:
        os.unlink(layout.current)
    flipped = time.time()
    sync_folder(layout.root)
    if read_current(layout) != version:
        raise AgentError("internal", f"{layout.current} was changed by somebody else")
    return flipped
