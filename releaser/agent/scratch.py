"""Bytes on the disk that go with whoever holds them: a file without a name.

Where no folder takes one, they are in memory. A disk that is full is an error: to go on in memory
would be to take it from what the host serves.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress

# Where files may be that nobody has to find again (file-hierarchy(7)); /tmp is often memory.
_PLACES = ("/var/tmp", "/tmp")  # noqa: S108 (nothing is found there by a name)
_FULL = (errno.ENOSPC, errno.EDQUOT)
# The app's own, once it is known.
_own: list[str] = []


def use(folder: str) -> None:
    """Have files made in a folder from now on, as far as that is there and can be written to."""
    _own[:] = [folder]


class Scratch:
    """Bytes that are added at the end and read anywhere; any number of threads may read."""

    def __init__(self) -> None:
        self._descriptor = -1
        self._instead: bytearray | None = None
        self._size = 0

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def __len__(self) -> int:
        return self._size

    def add(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes.

        Raises:
            OSError: The disk is full.
        """
        if self._descriptor < 0 and self._instead is None:
            self._descriptor = _nameless()
            if self._descriptor < 0:
                self._instead = bytearray()
        with memoryview(data) as piece:
            if self._instead is not None:
                self._instead += piece
            else:
                done = 0
                while done < len(piece):
                    done += os.pwrite(self._descriptor, piece[done:], self._size + done)
            self._size += len(piece)

    def read(self, start: int, size: int) -> bytes:
        """Return bytes, fewer where there are no more.

        Raises:
            OSError: The file cannot be read any more.
        """
        if self._instead is not None:
            return bytes(self._instead[start : start + size])
        return os.pread(self._descriptor, size, start) if self._size else b""

    def cut(self, size: int) -> None:
        """Let go of all from a place on, to be written anew."""
        self._size = size
        if self._instead is not None:
            del self._instead[size:]


def _nameless() -> int:
    """Return the descriptor of a file that goes with it; -1 where none can be had.

    Raises:
        OSError: The app's own disk is full.
    """
    for place in (*_own, *_PLACES):
        try:
            return _made(place)
        except OSError as error:
            if error.errno in _FULL and place in _own:
                raise
    return -1


def _made(place: str) -> int:
    try:
        return os.open(place, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        pass
    path = os.path.join(place, f"castoff.{os.urandom(8).hex()}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    # A prepare that empties the folder may have been there first.
    with suppress(FileNotFoundError):
        os.unlink(path)
    return descriptor
