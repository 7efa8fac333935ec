"""One agent at a time changes a host: a file lock that ends with the process."""

from __future__ import annotations

import fcntl
import os

from .durable import write_all
from .errors import AgentError


class HostLock:
    """An exclusive `flock` on `.castoff/lock`, held until `release` or the process's end."""

    def __init__(self, path: str, owner: str) -> None:
        """Take the lock and write who has it.

        Raises:
            AgentError: `busy`, naming the one who has it.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._descriptor, 1024, 0).decode("utf-8", "replace").strip()
            os.close(self._descriptor)
            raise AgentError(
                "busy",
                f"another release is at work on this host: {holder or 'unknown'}",
                "Wait until it is done. If its controller is dead, end that agent on the host.",
            ) from error
        try:
            os.ftruncate(self._descriptor, 0)
            write_all(self._descriptor, f"{owner} (agent's process {os.getpid()})\n".encode())
        except OSError:
            # On a full disk nobody can read who has the lock; it is held all the same.
            return

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._descriptor)
