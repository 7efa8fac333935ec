"""Make files of a release from a patch and the files of a release that is here.

Whatever is wrong with a patch costs only its bytes: files that it did not give right are fetched
with the archive's parts.
"""

from __future__ import annotations

import os
from array import array
from itertools import accumulate

from .arrivals import Arrivals
from .errors import AgentError, from_os_error
from .fetch import fetch
from .numbers import MANY, Numbers, right_of
from .patch import path_of
from .progress import Progress
from .table import Member
from .trash import delete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from .messages import Channel
    from .numbers import Column
    from .offer import Offer
    from .pace import Pace
    from .patch import Patch
    from .table import File
    from .unzstd import Unpack
    from .writer import TreeWriter

_BLOCK = 256 * 1024


class Patching:
    """A patch that is fetched and applied.

    Attributes:
        patch: The patch.
        fetched: Bytes that came.
        from_peers: How many of these siblings gave.
        made: For each row of what comes of it, whether it gave that with the right content.
        complaints: What to say of it, where something was wrong.
    """

    def __init__(self, patch: Patch, folder: str, unpack: Unpack) -> None:
        """Take the patch, a folder to work in, which this makes and removes, and what unpacks."""
        self.patch = patch
        self._folder = folder
        self._unpack = unpack
        self._whole = False
        self.fetched = 0
        self.from_peers = 0
        self.made = bytearray(len(patch.new))
        self.complaints: list[str] = []

    def run(
        self,
        channel: Channel,
        pace: Pace,
        writer: TreeWriter,
        done: bytearray,
        offer: Offer | None = None,
    ) -> None:
        """Write those files that the patch gives and that are not done yet.

        Args:
            channel: To the controller.
            pace: How fast the patch may come by URL.
            writer: Of the release.
            done: For each row of what comes of it, whether that is here.
            offer: Gets the patch, for siblings, if there are any. They may have it also where it
                is of no use here.

        Raises:
            Gone: The controller left.
        """
        os.mkdir(self._folder, 0o700)
        try:
            with open(os.path.join(self._folder, "patch"), "x+b", buffering=0) as file:
                self._fetch(channel, pace, file, offer)
                self._apply(channel, file, writer, done)
        except AgentError as error:
            self._complain(error)
        except OSError as error:
            self._complain(from_os_error(error))
        except MemoryError:
            self._complain(AgentError("fetch", "there is too little memory to unpack it"))
        finally:
            if offer is not None and not self._whole:
                offer.close()
            delete(self._folder)

    def _complain(self, error: AgentError) -> None:
        self.complaints.append(f"the patch from {self.patch.base} was of no use: {error.message}")

    def _fetch(self, channel: Channel, pace: Pace, file: BinaryIO, offer: Offer | None) -> None:
        size = self.patch.size
        arrivals = Arrivals(file, [Member(0, size, size, self.patch.sha256, "stored")])
        if offer is not None:
            offer.open(arrivals, file)
        channel.about = "patch"
        try:
            fetch(channel, self.patch.sources, arrivals, size, pace)
            self._whole = True
        finally:
            arrivals.end()
            channel.about = None
            self.fetched, self.from_peers = arrivals.fetched, arrivals.from_peers

    def _apply(self, channel: Channel, file: BinaryIO, writer: TreeWriter, done: bytearray) -> None:
        report = Progress(channel, "patch", sum(self.patch.new.sizes))
        content = _Content(_unpacked(self.patch, file, self._unpack))
        size = 0
        for row, entry in enumerate(self.patch.new):
            blocks = content.take(entry.size)
            if done[row]:
                for _ in blocks:
                    pass
            elif writer.fill(entry.path, blocks, entry):
                self.made[row] = True
            else:
                raise AgentError("corrupt", f"it gives another {entry.path!r}")
            size += entry.size
            report(size)
        content.finish()


class _Content:
    """Blocks that follow one another, cut anew."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def take(self, size: int) -> Iterator[memoryview]:
        """Yield the next bytes.

        Raises:
            AgentError: `corrupt`: there are not so many.
        """
        while size:
            if not self._rest:
                self._rest = memoryview(next(self._blocks, b""))
                if not self._rest:
                    raise AgentError("corrupt", "it gives less than it should")
            piece = self._rest[:size]
            self._rest = self._rest[size:]
            size -= len(piece)
            yield piece

    def finish(self) -> None:
        """Let what has been begun come to its end."""
        for _ in self._blocks:
            pass


def _unpacked(patch: Patch, file: BinaryIO, unpack: Unpack) -> Iterator[bytes]:
    """Yield what all frames hold.

    Raises:
        AgentError: `corrupt`: a frame is damaged, holds more than it should, or was made against
            something else.
    """
    sizes = accumulate(patch.old.sizes)
    ends = array("q", sizes) if len(patch.old) < MANY else Numbers(sizes)
    at = 0
    for frame in patch.frames:
        left = frame.size
        packed = _part(file, at, frame.length)
        for block in unpack(_old(patch, ends, frame.start, frame.span), packed):
            left -= len(block)
            if left < 0:
                raise AgentError("corrupt", "it gives more than it should")
            yield block
        at += frame.length


def _old(patch: Patch, ends: Column, position: int, size: int) -> Iterator[bytes]:
    """Yield a span of the old content."""
    index = right_of(ends, position)
    while size:
        entry = patch.old[index]
        start = position - (ends[index] - entry.size)
        count = min(size, entry.size - start)
        yield from _read(patch, entry, start, count)
        position += count
        size -= count
        index += 1


def _read(patch: Patch, entry: File, start: int, count: int) -> Iterator[bytes]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path_of(patch, entry), flags), "rb", buffering=0) as file:
        yield from _part(file, start, count)


def _part(file: BinaryIO, position: int, count: int) -> Iterator[bytes]:
    while count:
        block = os.pread(file.fileno(), min(_BLOCK, count), position)
        if not block:
            raise AgentError("corrupt", "a file is shorter than it should be")
        yield block
        position += len(block)
        count -= len(block)
