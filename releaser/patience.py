"""A clock for what hosts owe us: it stands nearly still while this process does not get to run.

A time limit is about a host. What a controller could not hear because its machine had no processor
for it (hundreds of others want it, the virtual machine was paused, the process was stopped) says
nothing about the host: without this, a thousand hosts at once "do not answer" where this machine is
overloaded.

A thread that only sleeps finds out: what it oversleeps is time in which nothing here ran in time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

# Seconds between two looks at the time. Twice as many are nothing unusual: threads wait for each
# other in the interpreter.
_BEAT = 0.05
_USUAL = 2 * _BEAT
# Beyond that a second counts as a tenth, so that every wait ends.
_SHARE = 0.1


class Clock:
    """Seconds, of which those that were overslept count little."""

    def __init__(self, real: Callable[[], float] = time.monotonic) -> None:
        """Begin at the real clock's time."""
        self._real = real
        self._lock = threading.Lock()
        self._last = self._time = real()

    def now(self) -> float:
        """Return the time."""
        with self._lock:
            return self._time + _counted(self._real() - self._last)

    def beat(self) -> None:
        """Take note that this process runs; called all `_BEAT` seconds."""
        with self._lock:
            real = self._real()
            self._time += _counted(real - self._last)
            self._last = real


def _counted(passed: float) -> float:
    return min(passed, _USUAL + (passed - _USUAL) * _SHARE) if passed > _USUAL else passed


class _Beating:
    """The process's clock; its thread starts when it is first looked at, and anew after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._started: tuple[int, Clock] | None = None

    def clock(self) -> Clock:
        started = self._started
        if started is not None and started[0] == os.getpid():
            return started[1]
        with self._lock:
            started = self._started
            if started is None or started[0] != os.getpid():
                started = self._started = (os.getpid(), Clock())
                threading.Thread(
                    target=_beat, args=(started[1],), name="patience", daemon=True
                ).start()
        return started[1]


def _beat(clock: Clock) -> None:
    while True:
        time.sleep(_BEAT)
        clock.beat()


_beating = _Beating()


def now() -> float:
    """Return the time by which limits for hosts count, in seconds; it only ever grows."""
    return _beating.clock().now()


def waited(wait: Callable[[float], bool], *, until: float) -> bool:
    """Return whether what is waited for has come.

    Args:
        wait: Waits so many seconds by the plain clock, and returns whether it has come.
        until: When to give up, by `now`.
    """
    while not wait(max(until - now(), 0.001)):
        # Else it was this process that did not get to run.
        if now() >= until:
            return False
    return True
