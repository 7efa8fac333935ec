"""How a release leads to the layer that holds its dependencies; nothing here looks into one.

A layer is a folder in `layers/` that any number of releases share. In each of them a link stands
where the folder would: releases that were made without layers have the folder itself.
"""

from __future__ import annotations

import errno
import os
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout

# What of a release may be a layer, and what paths in it begin with.
FOLDER = "lib"
BELOW = FOLDER + "/"
_UP = "../../layers/"
_NAME = re.compile(r"[0-9a-f]{16}-[0-9]{1,9}")


def is_layer(name: str) -> bool:
    """Whether an entry of `layers/` is called as layers are."""
    return _NAME.fullmatch(name) is not None


def is_shared(path: str) -> bool:
    """Whether a path of a release lies in what may be a layer, or is its top."""
    return path == FOLDER or path.startswith(BELOW)


def link_to(layer: str) -> str:
    """Return what the link of a release says; relative, so that the app's root can be moved."""
    return _UP + layer


def linked_layer(release: str) -> str | None:
    """Return the layer that a release's folder links to, whether or not it is there.

    Raises:
        OSError: That cannot be seen.
    """
    try:
        target = os.readlink(os.path.join(release, FOLDER))
    except OSError as error:
        # EINVAL: it is no link.
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EINVAL):
            return None
        raise
    layer = target[len(_UP) :]
    return layer if target.startswith(_UP) and is_layer(layer) else None


def users(layout: Layout) -> dict[str, list[str]]:
    """Return for each layer that releases link to their versions, sorted.

    Raises:
        OSError: A release cannot be looked into.
    """
    found: dict[str, list[str]] = {}
    try:
        versions = sorted(os.listdir(layout.releases))
    except (FileNotFoundError, NotADirectoryError):
        return found
    for version in versions:
        layer = linked_layer(layout.release(version))
        if layer is not None:
            found.setdefault(layer, []).append(version)
    return found
