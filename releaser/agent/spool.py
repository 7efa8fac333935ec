"""The archive on its way in: a file that is hashed while it is written."""

from __future__ import annotations

import hashlib

from .durable import write_all
from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


class Spool:
    """Takes an archive's bytes in order, at most `size` of them.

    Attributes:
        size: Bytes that are wanted.
        have: Bytes that are here.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self.restart()

    def restart(self) -> None:
        """Forget what is here."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.have = 0

    @property
    def left(self) -> int:
        """Bytes still wanted."""
        return self.size - self.have

    def write(self, data: bytes) -> None:
        """Take the next bytes; those beyond `size` are dropped.

        Raises:
            OSError: They cannot be written.
        """
        data = data[: self.left]
        write_all(self._file.fileno(), data)
        self._digest.update(data)
        self.have += len(data)

    def finish(self, sha256: str) -> BinaryIO:
        """Return the complete file for reading.

        Raises:
            AgentError: `fetch`: bytes are missing. `corrupt`: it is another archive.
        """
        if self.left:
            raise AgentError("fetch", f"gave only {self.have} of {self.size} bytes")
        if self._digest.hexdigest() != sha256:
            raise AgentError("corrupt", "gave other bytes than the manifest names")
        return self._file
