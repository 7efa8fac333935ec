"""Have the archive sent while the file table is still read, where all of it is lacking anyway."""

from __future__ import annotations

import os

from .records import complete_releases
from .space import free

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .manifest import Manifest
    from .messages import Channel
    from .parameters import Parameters

# Bytes of an archive below which there is nothing to gain.
_WORTH = 1024 * 1024
# Bytes that are asked for: as many as the buffers on the way take. They are heard out where the
# release is refused, which must not take as long as the whole archive would.
_MOST = 4 * 1024 * 1024
# What is to be free so that the space that is found lacking later is the exception: that many times
# the archive, and so many inodes.
_TIMES = 6
_INODES = 100_000


def ask_ahead(
    layout: Layout, channel: Channel, parameters: Parameters, manifest: Manifest, spool: str
) -> None:
    """Ask the controller for the beginning of the archive, if nothing of it can be here.

    Else the line would be idle while the table is checked and folders are made. Whatever becomes of
    the request, `Channel.drop` takes what nobody has taken.

    Args:
        layout: The app's paths.
        channel: To the controller.
        parameters: Of the request.
        manifest: Of the release.
        spool: Where an interrupted fetch would have left parts of it.
    """
    sources = parameters.each("sources")
    if (
        not sources
        or sources[0].text("kind") != "controller"
        or manifest.archive_size < _WORTH
        or not manifest.is_tarball
        or parameters.get("patch") is not None
    ):
        return
    if (
        os.path.lexists(spool)
        or os.path.lexists(layout.release(manifest.version))
        or os.path.lexists(layout.layers)
        or complete_releases(layout)
    ):
        return
    free_bytes, free_inodes = free(layout.root)
    if free_bytes < manifest.archive_size * _TIMES:
        return
    if free_inodes is None or free_inodes >= _INODES:
        channel.want_ahead(0, min(manifest.archive_size, _MOST))
