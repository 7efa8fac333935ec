"""Have a file table come as an archive does: from siblings, a file, a URL or the controller."""

from __future__ import annotations

import os

from .arrivals import Arrivals
from .errors import AgentError
from .fetch import fetch
from .manifest import digest_text
from .pace import Pace
from .packed import MOST_BYTES
from .spill import Spill
from .table import Member
from .table_told import TABLE
from .trash import delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .messages import Channel
    from .offer import Offer
    from .parameters import Parameters

_BLOCK = 64 * 1024
# Bytes that the controller is asked for at once.
_TABLE_PART = 1024 * 1024


def with_table(
    layout: Layout, channel: Channel, parameters: Parameters, offer: Offer | None
) -> Parameters:
    """Return a request's parameters, with the table in them where they only say where it is.

    Nothing is trusted for it: the digest that the manifest names is what the table must have.

    Args:
        layout: The app's paths.
        channel: To the controller.
        parameters: Of the request.
        offer: Gets what is fetched, for siblings, if there are any.

    Raises:
        AgentError: `fetch`, `corrupt`: no source gives it. `no-space`, `permission`, `invalid`.
        Gone: The controller left.
    """
    said = parameters.within("table")
    if said is None:
        if offer is not None:
            offer.close()
        return parameters
    size = _size(said)
    member = Member(0, size, size, digest_text(said.get("sha256")), "stored")
    path = os.path.join(layout.staging, "table")
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, 0o600), "r+b", buffering=0) as file:
        arrivals = Arrivals(file, [member])
        if offer is not None:
            offer.open(arrivals, file)
        channel.about = "table"
        try:
            pace = Pace(parameters.whole("max_rate", 0))
            fetch(channel, said.each("sources"), arrivals, size, pace)
        finally:
            channel.about = None
            delete(path)
        file.seek(0)
        fetched = Spill()
        for block in iter(lambda: file.read(_BLOCK), b""):
            fetched.add(block)
        return parameters.having(TABLE, fetched)


def with_table_of_controller(channel: Channel, parameters: Parameters) -> Parameters:
    """Return what `with_table` does, for one who changes nothing here and so has no place for it.

    Raises:
        AgentError: `invalid`: the controller sent something else.
        OSError: The disk is full.
        Gone: The controller left.
    """
    said = parameters.within("table")
    if said is None:
        return parameters
    size = _size(said)
    fetched = Spill()
    channel.about = "table"
    try:
        while len(fetched) < size:
            before = len(fetched)
            _take(channel, before, min(before + _TABLE_PART, size), fetched)
            if len(fetched) == before:
                # It gives no more: the digest will tell.
                break
    finally:
        channel.about = None
    return parameters.having(TABLE, fetched)


def _take(channel: Channel, start: int, end: int, fetched: Spill) -> None:
    channel.want(start, end)
    chunks = channel.chunks()
    left = end - start
    try:
        for block in chunks:
            fetched.add(block[:left])
            left -= min(left, len(block))
    except ValueError as error:
        raise AgentError("invalid", "the controller sent something that is no chunk") from error
    except OSError:
        # What is on its way has to be heard to its end, or the next request is lost.
        for _ in chunks:
            continue
        raise


def _size(said: Parameters) -> int:
    size = said.whole("size")
    if size > MOST_BYTES:
        raise AgentError("invalid", "the file table is too long")
    return size
