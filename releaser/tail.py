"""The last lines that a step printed, never more than a history can bear."""

from __future__ import annotations

import re
from collections import deque

MOST_LINES = 200
MOST_BYTES = 32 * 1024

# What makes a presigned URL one: without these it opens nothing.
_SIGNATURE = re.compile(
    r"((?:X-Amz-(?:Signature|Credential|Security-Token)|[?&]Signature)=)[^\s&\"'<>]+", re.IGNORECASE
)


class Tail:
    """Takes text as it comes and keeps its end: at most `MOST_LINES` and `MOST_BYTES` in UTF-8.

    Attributes:
        left_out: How many lines were dropped.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._bytes = 0
        self.left_out = 0

    @property
    def lines(self) -> tuple[str, ...]:
        """What is kept, oldest first."""
        return tuple(self._lines)

    def add(self, text: str) -> None:
        """Take a line, or several."""
        for line in text.split("\n"):
            kept = _storable(line)
            self._lines.append(kept)
            self._bytes += _size(kept)
        while len(self._lines) > MOST_LINES or self._bytes > MOST_BYTES:
            self._bytes -= _size(self._lines.popleft())
            self.left_out += 1


def shortened(lines: tuple[str, ...], most_bytes: int) -> tuple[str, ...]:
    """Return the last of the lines that take at most so many bytes together."""
    room = most_bytes
    for index in range(len(lines) - 1, -1, -1):
        room -= _size(lines[index])
        if room < 0:
            return lines[index + 1 :]
    return lines


def storable(text: str) -> str:
    """Return a text without what must not, or cannot, be stored.

    Signatures of presigned URLs go; a lone surrogate, which no UTF-8 can hold, becomes `?`.
    """
    return _SIGNATURE.sub(r"\1...", text).encode("utf-8", "replace").decode()


def _storable(line: str) -> str:
    # A progress bar goes over its line again and again; what stands there in the end counts.
    final = line.rstrip("\r").rpartition("\r")[2]
    return storable(final).encode()[-(MOST_BYTES - 1) :].decode(errors="ignore")


def _size(line: str) -> int:
    return len(line.encode()) + 1
