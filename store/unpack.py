"""The files of an archive, unpacked in memory through the file table alone.

Works for tarballs and zip files alike: the table says where each member lies and what it holds.
Memory stays bounded by a few blocks, whatever the archive claims to hold.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from castoff.store.filetable import Codec, File, FileTable, Member

_BLOCK = 256 * 1024
# zlib's window bits: 31 reads gzip, -15 raw deflate (zlib manual, inflateInit2).
_WINDOW: dict[Codec, int] = {"gzip": 31, "deflate": -15}


class Damaged(Exception):
    """A member of the archive is not what the file table says; the text says how."""


class ArchiveReader:
    """The content of files, one after the other.

    Asked for files in the order of their places, it unpacks each member once; any other order
    works too. What is damaged stays so: a member is not tried again.
    """

    def __init__(self, archive: BinaryIO, table: FileTable) -> None:
        self._archive = archive
        self._members = table.members
        self._damage: dict[int, str] = {}
        # The member that is being unpacked, what is left of its last block, and where that starts.
        self._index = -1
        self._blocks: Iterator[bytes] = iter(())
        self._rest = b""
        self._at = 0

    def content(self, file: File) -> Iterator[bytes]:
        """Yield a file's content in blocks.

        Raises:
            Damaged: A member that holds some of it is damaged, or there is no such member.
        """
        index, start, left = file.member, file.start, file.size
        while left:
            if index >= len(self._members):
                raise Damaged("it lies beyond the archive's last member")
            self._seek(index, start)
            piece = self._take(left)
            if not piece:
                index, start = index + 1, 0
                continue
            yield piece
            start += len(piece)
            left -= len(piece)

    def _seek(self, index: int, start: int) -> None:
        if index in self._damage:
            raise Damaged(self._damage[index])
        if index != self._index or start < self._at:
            self._index, self._rest, self._at = index, b"", 0
            self._blocks = raw_blocks(self._archive, self._members[index])
        while self._at < start and self._take(start - self._at):
            pass

    def _take(self, most: int) -> bytes:
        """Return the next bytes of the member, at most so many; none at its end."""
        if not self._rest:
            try:
                self._rest = next(self._blocks, b"")
            except Damaged as damage:
                self._damage[self._index] = str(damage)
                raise
        piece, self._rest = self._rest[:most], self._rest[most:]
        self._at += len(piece)
        return piece


def raw_blocks(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield what a member holds, in blocks.

    Its digest is checked before anything is unpacked, and unpacking stops at the length that the
    table states, so that a bomb gets no further.

    Raises:
        Damaged: It is not what the table says.
    """
    digest = hashlib.sha256()
    for block in _packed(archive, member):
        digest.update(block)
    if digest.hexdigest() != member.sha256:
        raise Damaged(f"the member at byte {member.offset} does not match its digest")
    if member.codec == "stored":
        yield from _packed(archive, member)
    else:
        yield from _inflated(archive, member)


def _inflated(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    machine = zlib.decompressobj(_WINDOW[member.codec])
    produced = 0
    try:
        # The empty block at the end brings out what zlib held back.
        for packed in chain(_packed(archive, member), (b"",)):
            if packed and machine.eof:
                raise Damaged(f"the member at byte {member.offset} is followed by something else")
            for block in _decompressed(machine, packed):
                produced += len(block)
                if produced > member.raw_length:
                    raise Damaged(f"the member at byte {member.offset} holds more than it should")
                yield block
    except zlib.error as error:
        raise Damaged(f"the member at byte {member.offset} cannot be unpacked") from error
    if produced != member.raw_length or not machine.eof:
        raise Damaged(f"the member at byte {member.offset} holds less than it should")
    if machine.unused_data:
        raise Damaged(f"the member at byte {member.offset} is followed by something else")


def _decompressed(machine: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    while not machine.eof:
        block = machine.decompress(packed, _BLOCK)
        packed = machine.unconsumed_tail
        if block:
            yield block
        elif not packed:
            return


def _packed(archive: BinaryIO, member: Member) -> Iterator[bytes]:
    archive.seek(member.offset)
    left = member.length
    while left:
        block = archive.read(min(left, _BLOCK))
        if not block:
            raise Damaged(f"the member at byte {member.offset} lies beyond the archive's end")
        left -= len(block)
        yield block
