"""What a build made of a finished part of the tree, for the builds that come after it.

While the part stays as it is, so do its rows in the file table, its lines in the tree's digest, the
needs of its compiled files, and nearly all members of the archive that hold it. All of it is one
entry of the cache, from which a later build copies whole runs of members into its archive. Nothing
here decides: without the entry, or with a damaged one, all is made anew, to the same bytes.

Format: the members, one behind another; sections of bytes, likewise; an index, JSON; the index's
length (8 bytes, big-endian); the SHA-256 of index and sections. Members have a CRC-32 each, which
finds what a disk does to them (ten times as fast as SHA-256); should it ever not, hosts refuse the
member by its SHA-256, which is in the file table.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, BinaryIO, TypeAlias

import deflate

from castoff.builder.pack import Damaged, read_at
from castoff.builder.rows import Rows
from castoff.store import filetable

_TAIL = 8 + 32
# Bytes of members that are read at once.
_BLOCK = 4 * 1024 * 1024
# Number of the entry that it begins with, bytes of its rows, raw length, length, CRC-32, SHA-256.
SettledRun: TypeAlias = tuple[int, int, int, int, int, str]
# Where the number of a member goes in a row of the file table: JSON holds no such byte.
NUMBER = b"\0"


class Settled:
    """An entry that is read in place.

    Attributes:
        facts: What `write_settled` was given.
        rows: See there.
        end: Number of the entry that follows the last run.
        size: Bytes of all files together.
    """

    def __init__(self, file: BinaryIO, *, pack: str) -> None:
        """Read all but the members; the entry has a descriptor of its own from then on.

        Args:
            file: What `write_settled` wrote.
            pack: The `identity` of the pack that it must have been made from.

        Raises:
            Damaged: It does not fit its digest, or was made from another pack.
        """
        total = os.fstat(file.fileno()).st_size
        tail = os.pread(file.fileno(), _TAIL, max(total - _TAIL, 0))
        length = int.from_bytes(tail[:8], "big")
        if length > total - _TAIL:
            raise Damaged
        index = os.pread(file.fileno(), length, total - _TAIL - length)
        digest = hashlib.sha256(index)
        try:
            known = json.loads(index)
            members = sum(run[3] for run in known["runs"])
            file.seek(members)
            sections = []
            for size in known["sections"]:
                sections.append(file.read(size))
                digest.update(sections[-1])
        except (ValueError, LookupError, TypeError, OverflowError) as error:
            raise Damaged from error
        # Only now is it certain that the index is what was written.
        if digest.digest() != tail[8:] or known["pack"] != pack:
            raise Damaged
        self._table, *columns, self._directories, self._links, self._lines = sections
        self.rows = Rows.from_bytes(columns)
        self.facts: Mapping[str, Any] = known["facts"]
        self.end: int = known["end"]
        self.size: int = known["size"]
        self._runs: list[SettledRun] = known["runs"]
        if file.tell() != total - _TAIL - length:
            raise Damaged
        self._descriptor = os.dup(file.fileno())

    @cached_property
    def _begins(self) -> Mapping[int, int]:
        # Of the slices of a large file the first one counts, which comes last here.
        return {run[0]: number for number, run in reversed(list(enumerate(self._runs)))}

    def run_at(self, entry: int) -> int | None:
        """Return the number of the run that begins with an entry, or None."""
        return self._begins.get(entry)

    def members(self, first: int) -> Iterator[bytes]:
        """Yield the bytes of the members from one on, in blocks of many of them.

        Raises:
            Damaged: One does not fit its checksum.
        """
        start = sum(run[3] for run in self._runs[:first])
        for runs in self._following(first):
            for block in _blocks(runs):
                total = sum(run[3] for run in block)
                data = read_at(self._descriptor, total, start)
                if len(data) != total:
                    raise Damaged(self)
                left = memoryview(data)
                for run in block:
                    if deflate.crc32(left[: run[3]]) != run[4]:
                        raise Damaged(self)
                    left = left[run[3] :]
                yield data
                start += total

    def _following(self, first: int) -> Iterator[Sequence[SettledRun]]:
        """Yield the runs from one on, as many at a time as there are."""
        yield self._runs[first:]

    def member_rows(self, first: int, offset: int) -> bytes:
        """Return the rows of the file table for the members from one on.

        Args:
            first: The first member.
            offset: Where it starts in the new archive.
        """
        rows = []
        for _, _, raw_length, length, _, sha256 in self._runs[first:]:
            rows.append((offset, length, raw_length, sha256, "gzip"))
            offset += length
        return filetable.rows(rows)

    def count(self, first: int) -> int:
        """Return how many runs there are from one on."""
        return len(self._runs) - first

    def table_rows(self, first: int, number: int) -> bytes:
        """Return the rows of the file table for the files that begin in the runs from one on.

        Args:
            first: The first run.
            number: Its number in the new archive.
        """
        start = sum(run[1] for run in self._runs[:first])
        pieces = []
        for more, run in enumerate(self._runs[first:]):
            if run[1]:
                piece = self._table[start : start + run[1]]
                pieces.append(piece.replace(NUMBER, b"%d" % (number + more)))
                start += run[1]
        return b",".join(pieces)

    @property
    def directories(self) -> bytes:
        """The folders' rows in the file table."""
        return self._directories

    @property
    def links(self) -> bytes:
        """The links' rows in the file table."""
        return self._links

    @property
    def lines(self) -> bytes:
        """What goes into the tree's digest."""
        return self._lines

    def close(self) -> None:
        """Let go of the entry."""
        os.close(self._descriptor)


def _blocks(runs: Sequence[SettledRun]) -> Iterator[Sequence[SettledRun]]:
    """Yield runs so many at a time that their members are some megabytes."""
    first = size = 0
    for number, run in enumerate(runs):
        if size and size + run[3] > _BLOCK:
            yield runs[first:number]
            first, size = number, 0
        size += run[3]
    if size:
        yield runs[first:]
