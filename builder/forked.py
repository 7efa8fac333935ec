"""Copies of this program that do a part of a build beside it."""

from __future__ import annotations

import fcntl
import os
import signal
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import BinaryIO

# Bytes that a copy may be ahead of who reads what it says.
_AHEAD = 1024 * 1024


class Forked:
    """Processes that end with the block, whatever becomes of it."""

    def __init__(self) -> None:
        self._running: list[int] = []
        self._pipes = ExitStack()

    def __enter__(self) -> Forked:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all that still run; nobody waits for what they make."""
        for child in tuple(self._running):
            self.kill(child)
            self.wait(child)
        self._pipes.close()

    def say(self, work: Callable[[BinaryIO], object]) -> BinaryIO | None:
        """Do something in a copy of this process that has something to say.

        Args:
            work: What it is, given where to say it; see `start`.

        Returns:
            Where that is read, to the end of the block; None if there can be no copy.
        """
        reading, writing = os.pipe()
        # Else each would wait for its reader, who reads what the others say, too.
        with suppress(OSError, AttributeError):
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _AHEAD)

        def apart() -> None:
            os.close(reading)
            with os.fdopen(writing, "wb") as pipe:
                work(pipe)

        child = self.start(apart)
        os.close(writing)
        if child is None:
            os.close(reading)
            return None
        return self._pipes.enter_context(os.fdopen(reading, "rb"))

    def start(self, work: Callable[[], object]) -> int | None:
        """Do something in a copy of this process, which has no other threads there.

        Args:
            work: What it is; what it raises is lost, and shows in the exit status alone. It shares
                no lock with other threads of this process.

        Returns:
            The copy's id; None if there can be none.
        """
        try:
            with warnings.catch_warnings():
                # Python 3.12 and later: where other threads run, a lock of theirs may stay locked
                # in the copy for ever. `work` must take none that they take.
                warnings.simplefilter("ignore", DeprecationWarning)
                child = os.fork()
        except OSError:
            return None
        if child == 0:
            # Nothing of what this copy of the program holds may be ended a second time.
            status = 1
            try:
                work()
                status = 0
            finally:
                os._exit(status)
        self._running.append(child)
        return child

    def kill(self, child: int) -> None:
        """End a process, whatever it is doing.

        Args:
            child: What `start` returned, and not waited for.
        """
        with suppress(OSError):
            os.kill(child, signal.SIGKILL)

    def wait(self, child: int) -> bool:
        """Wait for the end of a process; return whether it did all that it had to.

        Args:
            child: What `start` returned.
        """
        self._running.remove(child)
        return os.waitpid(child, 0)[1] == 0
