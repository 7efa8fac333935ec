"""The raw bytes of one member of an archive, in blocks, and never more than it should have."""

from __future__ import annotations

import os
import zlib

from .errors import AgentError
from .table import Member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

BLOCK = 256 * 1024
_WINDOW = {"gzip": 31, "deflate": -15}


def raw_blocks(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield the raw bytes of a member whose digest was found right.

    Unpacking stops at the length that the table states: no bomb gets further.

    Raises:
        AgentError: `corrupt`.
    """
    if member.codec == "stored":
        yield from _packed(archive, member)
    else:
        yield from _inflated(archive, member)


def _inflated(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    machine = zlib.decompressobj(_WINDOW[member.codec])
    packed = _packed(archive, member)
    produced = 0
    pending = b""
    while not machine.eof:
        fed = pending or next(packed, b"")
        try:
            block = machine.decompress(fed, BLOCK)
        except zlib.error as error:
            raise _corrupt(member, "cannot be unpacked") from error
        pending = machine.unconsumed_tail
        produced += len(block)
        if produced > member.raw_length:
            raise _corrupt(member, "holds more than it should")
        if block:
            yield block
        elif not fed and not machine.eof:
            raise _corrupt(member, "ends too early")
    if produced != member.raw_length:
        raise _corrupt(member, "holds less than it should")
    if machine.unused_data or next(packed, b""):
        raise _corrupt(member, "is followed by something else")


def _packed(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    # Another process may read elsewhere by the same open file, which has but one place to read at.
    descriptor = archive.fileno()
    position, left = member.offset, member.length
    while left:
        block = os.pread(descriptor, min(left, BLOCK), position)
        if not block:
            raise _corrupt(member, "lies beyond the archive's end")
        position += len(block)
        left -= len(block)
        yield block


def _corrupt(member: Member, what: str) -> AgentError:
    return AgentError(
        "corrupt",
        f"the archive is damaged: the member at byte {member.offset} {what}",
        "The artifact contradicts itself: build it again under a new version.",
    )
