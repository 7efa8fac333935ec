"""A file that another thread digests while it is written: neither needs the interpreter for it."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

# Bytes from which on it pays to let another thread digest them.
_MANY = 512 * 1024
# Blocks that may wait to be digested.
_WAITING = 2


class ArchiveFile:
    """A new file; `size` and `sha256` are those of all that was written.

    Attributes:
        size: Bytes.
    """

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be written.
        """
        self._file = path.open("wb", buffering=0)
        self._digest = hashlib.sha256()
        self._beside = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()
        self._small: list[bytes] = []
        self._small_size = 0
        self.size = 0

    def __enter__(self) -> ArchiveFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._beside.shutdown()
        self._file.close()

    def write(self, data: bytes) -> None:
        """Write all of it.

        Raises:
            OSError: It cannot be written.
        """
        self._small.append(data)
        self._small_size += len(data)
        self.size += len(data)
        if self._small_size >= _MANY:
            self._flush()

    def sha256(self) -> str:
        """Write what still waits, and return the digest of all, in hexadecimal digits.

        Raises:
            OSError: The rest of it cannot be written.
        """
        self._flush()
        while self._waiting:
            self._waiting.popleft().result()
        return self._digest.hexdigest()

    def _flush(self) -> None:
        block = b"".join(self._small)
        self._small, self._small_size = [], 0
        self._waiting.append(self._beside.submit(self._digest.update, block))
        left = memoryview(block)
        while left:
            left = left[self._file.write(left) :]
        while len(self._waiting) > _WAITING:
            self._waiting.popleft().result()
