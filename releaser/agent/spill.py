"""What may be too long for memory: it is kept there up to a bound, and beyond that in a file.

A file table of a hundred thousand files takes tens of MiB, of which a few KiB are needed at a time.
"""

from __future__ import annotations

import os
import sys
from array import array
from bisect import bisect_left

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Bytes that are kept in memory before they go into the file, and that are read from it at once.
_MOST = 1024 * 1024
_WINDOW = 64 * 1024
# Texts that are kept as such: at most so many take less time, and 2 MiB.
FEW = 10_000
# Where files may be that nobody has to find again (file-hierarchy(7)); /tmp is often memory.
_PLACES = ("/var/tmp", "/tmp")  # noqa: S108 (nothing is found there by a name)


class Spill:
    """Bytes that are added at the end, piece by piece, and read anywhere.

    Any number of threads may read once nothing is added any more.
    """

    def __init__(self, most: int = _MOST) -> None:
        """Take how many bytes are kept in memory before they go into the file."""
        self._recent = bytearray()
        self._in_file = 0
        self._descriptor = -1
        self._most = most
        self._window = (0, b"")

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def __len__(self) -> int:
        return self._in_file + len(self._recent)

    def add(self, piece: bytes) -> None:
        """Add a piece, which must not be larger than the window of which it is read."""
        self._recent += piece
        if len(self._recent) > self._most:
            self._write()

    def read(self, start: int, size: int) -> bytes:
        """Return bytes that were added as one piece, or a part of one.

        Raises:
            OSError: The file cannot be read any more.
        """
        at = start - self._in_file
        if at >= 0:
            return bytes(self._recent[at : at + size])
        first, window = self._window
        at = start - first
        if at < 0 or at + size > len(window):
            # Somewhat before it, too: whoever looks for a place goes to and fro.
            first = max(0, start - _WINDOW // 8)
            window = os.pread(self._descriptor, _WINDOW, first)
            at = start - first
            # At one stroke: another thread may read elsewhere.
            self._window = first, window
        return window[at : at + size]

    def blocks(self) -> Iterator[bytes]:
        """Yield everything from the beginning, a block at a time.

        Raises:
            OSError: The file cannot be read any more.
        """
        for start in range(0, self._in_file, _WINDOW):
            yield os.pread(self._descriptor, min(_WINDOW, self._in_file - start), start)
        if self._recent:
            yield bytes(self._recent)

    def _write(self) -> None:
        if self._descriptor < 0:
            self._descriptor = _nameless()
        try:
            done = 0
            with memoryview(self._recent) as piece:
                while done < len(piece):
                    at = self._in_file + done
                    done += os.pwrite(self._descriptor, piece[done:], at)
        except OSError:
            # There is none, or it is on a full disk: memory may yet do.
            self._most = sys.maxsize
            return
        self._in_file += done
        self._recent = bytearray()


def _nameless() -> int:
    """Return the descriptor of a file that goes with it; -1 where none can be had."""
    for place in _PLACES:
        try:
            return os.open(place, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            pass
        path = os.path.join(place, f"castoff.{os.urandom(8).hex()}")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except OSError:
            continue
        os.unlink(path)
        return descriptor
    return -1


class Texts:
    """Texts in the order in which they were added, each of at most some KiB.

    Attributes:
        sorted: Whether there are many, and each comes before the next one.
    """

    def __init__(self) -> None:
        self._few: list[str] | None = []
        self._all = Spill()
        self._ends = array("Q", [0])
        self._last: str | None = None
        self.sorted = False

    def append(self, text: str) -> None:
        """Add one."""
        if self._few is None:
            self._add(text)
            return
        self._few.append(text)
        if len(self._few) > FEW:
            few, self._few = self._few, None
            self.sorted = True
            for one in few:
                self._add(one)

    def __len__(self) -> int:
        return len(self._ends) - 1 if self._few is None else len(self._few)

    def __getitem__(self, index: int) -> str:
        if self._few is not None:
            return self._few[index]
        if index < 0:
            index += len(self)
        start = self._ends[index]
        return self._all.read(start, self._ends[index + 1] - start).decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return map(self.__getitem__, range(len(self))) if self._few is None else iter(self._few)

    def find(self, text: str) -> int:
        """Return where a text is, -1 if it is not there; they must be `sorted`."""
        index = bisect_left(self, text)
        return index if index < len(self) and self[index] == text else -1

    def _add(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._all.add(data)
        self._ends.append(self._ends[-1] + len(data))
        self.sorted = self.sorted and (self._last is None or self._last < text)
        self._last = text
