"""What a build made of a finished part of the tree, for the builds that come after it.

While the part stays as it is, so do its rows in the file table, its lines in the tree's digest, the
needs of its compiled files, and nearly all members of the archive that hold it. All of it is one
entry of the cache, from which a later build copies whole runs of members into its archive. Nothing
here decides: without the entry, or with a damaged one, all is made anew, to the same bytes.

Format: sections of bytes, one behind another; the members, likewise; an index, JSON; the index's
length (8 bytes, big-endian); the SHA-256 of sections and index. Members have a CRC-32 each, which
finds what a disk does to them (ten times as fast as SHA-256); should it ever not, hosts refuse the
member by its SHA-256, which is in the file table.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, BinaryIO

import deflate

from castoff.builder.pack import Damaged, read_at
from castoff.builder.rows import Rows
from castoff.store.filetable import Member

_TAIL = 8 + 32
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
            sections = []
            for size in known["sections"]:
                sections.append(file.read(size))
                digest.update(sections[-1])
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged from error
        # Only now is it certain that the index is what was written.
        if digest.digest() != tail[8:] or known["pack"] != pack:
            raise Damaged
        *columns, self._table, self._directories, self._links, self._lines = sections
        self.rows = Rows.from_bytes(columns)
        self.facts: Mapping[str, Any] = known["facts"]
        self.end: int = known["end"]
        self.size: int = known["size"]
        self._runs: list[tuple[int, int, int, int, int, str]] = known["runs"]
        self._offset = file.tell()
        if self._offset + sum(run[3] for run in self._runs) != total - _TAIL - length:
            raise Damaged
        self._descriptor = os.dup(file.fileno())

    @cached_property
    def _begins(self) -> Mapping[int, int]:
        # Of the slices of a large file the first one counts, which comes last here.
        return {run[0]: number for number, run in reversed(list(enumerate(self._runs)))}

    def run_at(self, entry: int) -> int | None:
        """Return the number of the run that begins with an entry, or None."""
        return self._begins.get(entry)

    def members(self, first: int) -> Iterator[tuple[Member, bytes]]:
        """Yield the members from one on, each as if it were alone, and their bytes.

        Raises:
            Damaged: One does not fit its checksum.
        """
        start = self._offset + sum(run[3] for run in self._runs[:first])
        for _, _, raw_length, length, checksum, sha256 in self._runs[first:]:
            data = read_at(self._descriptor, length, start)
            if len(data) != length or deflate.crc32(data) != checksum:
                raise Damaged(self)
            yield Member(0, length, raw_length, sha256, "gzip"), data
            start += length

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
