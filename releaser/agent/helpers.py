"""Processes of this agent that do parts of its work, since one Python runs on one processor.

They are forks, so that they have at hand all that there is when they begin, and need not be told.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import struct

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # Does the part from one number up to another, and returns how many bytes that were.
    Work = Callable[[int, int], int]

# More do not help: the line or the disk is the limit by then.
_MOST = 3
# Then one takes some 8 MiB of its own.
_MOST_ROWS = 100_000
# Bytes of work that each may have before it: enough for while this process is at its own.
_LOAD = 2 * 1024 * 1024
_PART = struct.Struct("=qq")
_BLOCK = 65_536
# Milliseconds between two looks of somebody who waits.
_LOOK = 100
_SET_PARENT_DEATH_SIGNAL = 1


def spare_processors(rows: int = 0) -> int:
    """Return how many helpers this host has processors for.

    Args:
        rows: Of the table that they read. What a process touches of it becomes its own, and
            all together are to take no more memory than an agent alone may.
    """
    return min(len(os.sched_getaffinity(0)) - 1, _MOST) if rows <= _MOST_ROWS else 0


class Helpers:
    """Some processes with the same work; a context manager, at whose end they are gone."""

    def __init__(self, count: int, work: Work) -> None:
        """Take how many there are to be, which the system may not allow, and what they do."""
        self._count = count
        self._work = work
        self._all: list[_Helper] = []

    def __enter__(self) -> Helpers:
        if self._count > 0:
            end_together = _end_together()
            for _ in range(self._count):
                try:
                    self._all.append(_Helper(self._work, self._all, end_together))
                except OSError:
                    # No more processes, or descriptors.
                    break
        return self

    def __exit__(self, *_: object) -> None:
        for helper in self._all:
            helper.end()

    def lessen(self) -> bool:
        """End one of them; return whether there was one."""
        if not self._all:
            return False
        self._all.pop().end()
        return True

    def take(self, begin: int, end: int, size: int) -> bool:
        """Have one of them do a part of so many bytes, unless they have enough to do.

        Returns:
            Whether one does it.
        """
        idlest = min(self._all, key=lambda helper: helper.load, default=None)
        if idlest is None or idlest.load >= _LOAD:
            return False
        idlest.give(begin, end, size)
        return True

    def done(self) -> int:
        """Return how many bytes have been done since this was asked last.

        Raises:
            AgentError: As the work raised it; so is OSError. `internal`: a process is gone.
        """
        return sum(helper.done() for helper in self._all if helper.parts)

    def finish(self, report: Callable[[int], None]) -> None:
        """Wait until all parts are done.

        Args:
            report: Called now and then, with how many bytes were done since it was called last.

        Raises:
            AgentError, OSError: As `done`.
        """
        while busy := [helper for helper in self._all if helper.parts]:
            poll = select.poll()
            for helper in busy:
                poll.register(helper.hears, select.POLLIN)
            poll.poll(_LOOK)
            report(self.done())


class _Helper:
    """One process.

    Attributes:
        parts: How many it was given and has not done.
        load: How many bytes those are.
        hears: The descriptor by which it tells of them.
    """

    def __init__(self, work: Work, others: list[_Helper], end_together: Callable[[], None]) -> None:
        self.parts = self.load = 0
        self._told = b""
        ends: list[int] = []
        try:
            ends += os.pipe()
            ends += os.pipe()
            self._process = os.fork()
        except OSError:
            for descriptor in ends:
                os.close(descriptor)
            raise
        told, self._gives, self.hears, tells = ends
        if self._process:
            os.close(told)
            os.close(tells)
            return
        try:
            end_together()
            gc.disable()
            # Else it would not be seen by this one, or another, that the agent has gone.
            for ours in [self, *others]:
                ours.let_go()
            _serve(work, told, tells)
        finally:
            os._exit(1)

    def give(self, begin: int, end: int, size: int) -> None:
        """Have it do a part."""
        self.parts += 1
        self.load += size
        try:
            os.write(self._gives, _PART.pack(begin, end))
        except BrokenPipeError:
            # What became of it is found out by whoever asks what was done.
            return

    def done(self) -> int:
        """Return how many bytes it has done since this was asked last; raises what it met."""
        found = 0
        while self.parts and select.select([self.hears], [], [], 0)[0]:
            data = os.read(self.hears, _BLOCK)
            if not data:
                raise AgentError(
                    "internal",
                    "a process of the agent was ended from outside",
                    "See in the host's log (dmesg) whether its memory did not suffice.",
                )
            *lines, self._told = (self._told + data).split(b"\n")
            for line in lines:
                done = _amount(json.loads(line))
                self.parts -= 1
                self.load -= done
                found += done
        return found

    def let_go(self) -> None:
        """Close this side's ends."""
        os.close(self._gives)
        os.close(self.hears)

    def end(self) -> None:
        """Have it end, at once where nobody wants what it is at."""
        if self.parts:
            os.kill(self._process, signal.SIGKILL)
        self.let_go()
        os.waitpid(self._process, 0)


def _serve(work: Work, told: int, tells: int) -> None:
    """Do what is asked for, in a process of its own, until nobody is left to ask."""
    while part := os.read(told, _PART.size):
        answer: dict[str, Any]
        try:
            answer = {"done": work(*_PART.unpack(part))}
        except AgentError as error:
            answer = {"error": [error.code, error.message, error.hint]}
        except OSError as error:
            name = error.filename
            path = os.fsdecode(name) if isinstance(name, bytes) else name
            answer = {"refused": [error.errno, error.strerror, path]}
        os.write(tells, json.dumps(answer).encode() + b"\n")


def _amount(answer: dict[str, Any]) -> int:
    """Return how many bytes were done, or raise what went wrong."""
    if "error" in answer:
        raise AgentError(*answer["error"])
    if "refused" in answer:
        raise OSError(*answer["refused"])
    return int(answer["done"])


def _end_together() -> Callable[[], None]:
    """Return what has a process end when the one that it was made by does (prctl(2)).

    Without it, it would end when it has done what it was given.
    """
    try:
        import ctypes

        call = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return lambda: None
    return lambda: call(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
