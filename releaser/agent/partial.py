"""Bring some members of the archive to the host, each checked, from whatever source gives them."""

from __future__ import annotations

import hashlib
import os

from .durable import write_all
from .errors import AgentError
from .inflate import BLOCK
from .ranges import NoRanges, coalesced, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from .messages import Channel
    from .parameters import Parameters
    from .ranges import Range
    from .table import Member

    Report = Callable[[int], None]


class Gaps:
    """A file that is filled in places; counts what comes in.

    Attributes:
        fetched: Bytes that were written, those that had to come twice counted twice.
    """

    def __init__(self, file: BinaryIO, report: Report) -> None:
        self._descriptor = file.fileno()
        self._report = report
        self.fetched = 0

    def write(self, position: int, data: bytes) -> None:
        """Write bytes at their place.

        Raises:
            OSError: They cannot be written.
        """
        os.lseek(self._descriptor, position, os.SEEK_SET)
        write_all(self._descriptor, data)
        self.fetched += len(data)
        self._report(self.fetched)


def fetch_members(
    channel: Channel,
    sources: list[Parameters],
    members: list[Member],
    file: BinaryIO,
    report: Report,
) -> int | None:
    """Write these members at their places in `file`; return how many bytes came.

    Each member is held against its digest. What a source does not give, or gives wrongly, the
    next one is asked for, and for nothing else. If none is left, the caller had better ask for
    the whole archive: None is returned then, and the reasons come with that.

    Args:
        channel: Over which the controller itself may be asked.
        sources: Where to take them from, tried in this order.
        members: What is wanted.
        file: Opened unbuffered for reading and writing.
        report: Called often, with the number of bytes that have come.

    Raises:
        AgentError: `no-space`, `permission`: it cannot be written here.
        Gone: The controller left.
    """
    gaps = Gaps(file, report)
    left = list(members)
    for source in sources:
        try:
            _take(source, channel, coalesced(left), gaps)
        except NoRanges:
            return None
        except AgentError as failure:
            if failure.code != "fetch":
                raise
        left = [member for member in left if not _is_here(file, member)]
        if not left:
            return gaps.fetched
    return None


def _take(source: Parameters, channel: Channel, ranges: list[Range], gaps: Gaps) -> None:
    kind = source.text("kind")
    if kind == "file":
        _take_file(source.text("path"), channel, ranges, gaps)
    elif kind == "url":
        from .range_download import download_ranges

        download_ranges(source.text("url"), channel, ranges, gaps)
    elif kind == "controller":
        for wanted in ranges:
            _take_from_controller(channel, wanted, gaps)
    else:
        raise AgentError("invalid", f"an unknown kind of source: {kind!r}")


def _take_file(path: str, channel: Channel, ranges: list[Range], gaps: Gaps) -> None:
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below; only opening may fail this way)
    except OSError as error:
        raise AgentError("fetch", f"cannot be opened: {error.strerror}") from error
    with file:
        for start, end in ranges:
            position = start
            file.seek(position)
            while position < end:
                channel.check()
                block = file.read(min(BLOCK, end - position))
                if not block:
                    return
                gaps.write(position, block)
                position += len(block)


def _take_from_controller(channel: Channel, wanted: Range, gaps: Gaps) -> None:
    channel.event("want", offset=wanted.start, length=size_of([wanted]))
    position = wanted.start
    trouble: OSError | None = None
    try:
        for block in channel.chunks():
            # What is on its way has to be heard to its end, or the next request is lost in it.
            if trouble is None:
                try:
                    gaps.write(position, block[: wanted.end - position])
                except OSError as error:
                    trouble = error
                position = min(position + len(block), wanted.end)
    except ValueError as error:
        raise AgentError("invalid", "the controller sent something that is no chunk") from error
    if trouble is not None:
        raise trouble


def _is_here(file: BinaryIO, member: Member) -> bool:
    digest = hashlib.sha256()
    file.seek(member.offset)
    left = member.length
    while left:
        block = file.read(min(BLOCK, left))
        if not block:
            return False
        digest.update(block)
        left -= len(block)
    return digest.hexdigest() == member.sha256
