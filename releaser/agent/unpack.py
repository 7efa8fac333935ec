"""Write a release's tree from its archive, guided by the file table alone."""

from __future__ import annotations

import hashlib
import os
from array import array
from itertools import accumulate

from .durable import write_all
from .errors import AgentError
from .named_tuple import NamedTuple
from .numbers import MANY, Numbers
from .rawbytes import RawBytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from .arrivals import Arrivals
    from .helpers import Helpers
    from .numbers import Column
    from .table import File, Table
    from .writer import TreeWriter


class Unpacking:
    """All files that are not there yet, in the order in which the archive holds their bytes.

    Every file's content is hashed while it is written and compared with the table, so that once
    all are written the tree is the one that the table describes. Memory stays bounded by a few
    blocks whatever the files' sizes.
    """

    def __init__(
        self,
        archive: BinaryIO,
        table: Table,
        writer: TreeWriter,
        arrivals: Arrivals,
        done: bytearray,
    ) -> None:
        """Take what there is to do.

        Args:
            archive: The archive, of which parts may still be on their way.
            table: What to write; directories are there.
            writer: Where to.
            arrivals: Knows what has arrived, and is what it should be.
            done: For each row about a file, whether that is there already.
        """
        self._table = table
        self._writer = writer
        self._arrivals = arrivals
        rows = (row for row in table.files.in_order(empty=True) if not done[row])
        self._order: Column = array("q", rows) if len(done) < MANY else Numbers(rows)
        self._coming = RawBytes(archive, table.members, arrivals.wait_for)
        self._there = RawBytes(archive, table.members, lambda _: None)

    def run(self, report: Callable[[int], None], helpers: Helpers) -> None:
        """Write them, and then all links: nothing is ever written through one.

        Args:
            report: Called often, with the number of bytes written so far.
            helpers: Do `part`, as far as they can.

        Raises:
            AgentError: `corrupt`: bytes differ from what the table says.
            OSError: Something could not be written.
            Stopped: What is lacking does not come.
        """
        written = 0

        def tell(count: int) -> None:
            nonlocal written
            written += count
            report(written)

        for run in _runs(self._table, self._order):
            if run.first is not None:
                self._arrivals.wait_for(self._table.members[run.first])
            tell(helpers.done())
            # Whoever helps cannot wait: of a large file this process unpacks what is there.
            if not (self._is_here(run) and helpers.take(run.begin, run.end, run.size)):
                self._write(self._coming, run.begin, run.end, tell)
        helpers.finish(tell)
        for link in self._table.links:
            self._writer.link(link.path, link.target)

    def part(self, begin: int, end: int) -> int:
        """Write some of them, which are here; return how many bytes that were.

        For a process that helps, which hears of nothing that arrives.
        """
        written = 0

        def tell(count: int) -> None:
            nonlocal written
            written += count

        self._write(self._there, begin, end, tell)
        return written

    def _is_here(self, run: _Run) -> bool:
        if run.first is None:
            return False
        members = self._table.members
        return all(self._arrivals.has(members[i]) for i in range(run.first, run.last + 1))

    def _write(self, raw: RawBytes, begin: int, end: int, tell: Callable[[int], None]) -> None:
        for at in range(begin, end):
            file = self._table.files[self._order[at]]
            descriptor = self._writer.file(file.path)
            try:
                digest = hashlib.sha256()
                for block in raw.span(file.position, file.size):
                    digest.update(block)
                    write_all(descriptor, block)
                    tell(len(block))
                os.fchmod(descriptor, 0o555 if file.executable else 0o444)
            finally:
                os.close(descriptor)
            _compare(file, digest.hexdigest())
        raw.finish()


class _Run(NamedTuple):
    """Files that have no member in common with any others.

    Attributes:
        begin: The first one's place in the order.
        end: The place after the last one's.
        first: The first member that holds any of them; None where they are all empty.
        last: The last one.
        size: Bytes of them all.
    """

    begin: int
    end: int
    first: int | None
    last: int
    size: int


def _runs(table: Table, order: Column) -> Iterator[_Run]:
    """Divide files, those that are empty coming first, into the shortest runs."""
    members = enumerate(accumulate(table.members.raw_lengths))
    sizes, positions = table.files.sizes, table.files.positions
    begin, first, total = 0, None, 0
    member, end = -1, 0
    for at, row in enumerate(order):
        size, position = sizes[row], positions[row]
        if size and position >= end:
            if at > begin:
                yield _Run(begin, at, first, member, total)
            while position >= end:
                member, end = next(members)
            begin, first, total = at, member, 0
        while position + size > end:
            member, end = next(members)
        total += size
    if len(order) > begin:
        yield _Run(begin, len(order), first, member, total)


def _compare(file: File, sha256: str) -> None:
    if sha256 != file.sha256:
        raise AgentError(
            "corrupt",
            f"{file.path!r} in the archive is not the file that the file table names",
            "The artifact contradicts itself: build it again under a new version.",
        )
