"""One agent at a time changes a host: a file lock that ends with the process."""

from __future__ import annotations

import fcntl
import math
import os
import re
import signal
from contextlib import suppress

from .durable import write_all
from .errors import AgentError

_TOKEN = re.compile(r"[0-9]{1,18}\Z")


class HostLock:
    """An exclusive `flock` on `.castoff/lock`, held until `release` or the process's end."""

    def __init__(self, path: str, owner: str, *, token: int, claim: str | None = None) -> None:
        """Take the lock and write who has it.

        Args:
            path: The lock's file.
            owner: Who, for people.
            token: The fencing token of who asks. An agent that has the lock by a lesser one hears
                that it is not wanted any more: that lease is over, though its controller may not
                know, because it sleeps.
            claim: The same for all connections of one run to this host, of which there is one at
                a time: an agent that has the lock by it hears that it is not wanted any more. Its
                own connection need not tell it, if what it came through has lost its power.

        Raises:
            AgentError: `busy`, naming the one who has it.
        """
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            text = os.pread(self._descriptor, 1024, 0).decode("utf-8", "replace")
            lock = os.fstat(self._descriptor)
            os.close(self._descriptor)
            holder, claimed, lesser = _read(text)
            if (claim is not None and claimed == claim) or lesser < token:
                _dismiss(holder, lock)
            raise AgentError(
                "busy",
                f"another release is at work on this host: {holder or 'unknown'}",
                "Wait until it is done. If its controller is dead, end that agent on the host.",
            ) from error
        try:
            os.ftruncate(self._descriptor, 0)
            text = f"{owner} (agent's process {os.getpid()})\n{claim or ''}\n{token}\n"
            write_all(self._descriptor, text.encode())
        except OSError:
            # On a full disk nobody can read who has the lock; it is held all the same.
            return

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._descriptor)


def _read(text: str) -> tuple[str, str, float]:
    """Return the holder, its claim and its token; infinity if it wrote none."""
    lines = [*text.split("\n"), "", ""]
    token = lines[2]
    return lines[0].strip(), lines[1], int(token) if _TOKEN.match(token) else math.inf


def _dismiss(holder: str, lock: os.stat_result) -> None:
    """Let an agent leave as soon as it has nothing to do."""
    process = re.search(r"\(agent's process ([1-9][0-9]*)\)$", holder)
    # One that has the lock and has not said so yet has left there what the one before it said, and
    # in a container its number is another process's outside.
    if process is None or int(process[1]) == os.getpid() or not _has_open(process[1], lock):
        return
    try:
        os.kill(int(process[1]), signal.SIGUSR1)
    except OSError:
        # It has just gone, or is another user's.
        return


def _has_open(process: str, file: os.stat_result) -> bool:
    """Whether a process has a file open, as far as this user may know (proc_pid_fd(5))."""
    folder = f"/proc/{process}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    for name in names:
        with suppress(OSError):
            if os.path.samestat(os.stat(f"{folder}/{name}"), file):
                return True
    return False
