"""What may be too long for memory: it is kept there up to a bound, and beyond that in a file.

A file table of a hundred thousand files takes tens of MiB, of which a few KiB are needed at a time.
"""

from __future__ import annotations

from .scratch import Scratch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Bytes that are kept in memory before there is a file, and then before they go into it; the latter
# are also read from it at once.
_MOST = 1024 * 1024
_WINDOW = 64 * 1024


class Spill:
    """Bytes that are added at the end, piece by piece, and read anywhere.

    Any number of threads may read once nothing is added any more.
    """

    def __init__(self, most: int = _MOST) -> None:
        """Take how many bytes are kept in memory before they go into the file."""
        self._recent = bytearray()
        self._file = Scratch()
        self._in_file = 0
        self._most = most
        self._window = (0, b"")

    def __len__(self) -> int:
        return self._in_file + len(self._recent)

    def add(self, piece: bytes) -> None:
        """Add a piece, which must not be larger than the window of which it is read.

        Raises:
            OSError: The disk is full.
        """
        self._recent += piece
        if len(self._recent) > self._most:
            self._file.add(self._recent)
            self._in_file += len(self._recent)
            self._recent = bytearray()
            self._most = _WINDOW

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
            window = self._file.read(first, _WINDOW)
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
            yield self._file.read(start, min(_WINDOW, self._in_file - start))
        if self._recent:
            yield bytes(self._recent)
