"""Turns to connect: so many at once, so many a second, however many hosts wait for theirs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from castoff.config.environment_tables import FanOut
from castoff.releaser.errors import HostUnreachable


class Turns:
    """Hands out turns to threads; who has one may ask for it again.

    A handshake costs the controller processor time, and jump hosts, firewalls and address
    translators take only so many new connections. Connections that are open cost next to nothing.
    """

    def __init__(self, fan_out: FanOut) -> None:
        """Take how many turns there are at once, and how many a second."""
        self._free = fan_out.concurrency
        self._apart = 1 / fan_out.rate
        self._next = 0.0
        self._stops = 0
        lock = threading.Lock()
        # Apart, so that a turn that is given back wakes nobody who has one.
        self._given = threading.Condition(lock)
        self._stopped = threading.Condition(lock)
        self._mine = threading.local()

    @contextmanager
    def taken(self, host: str) -> Iterator[None]:
        """Wait for a turn, and have it inside.

        Args:
            host: Whom it is for.

        Raises:
            HostUnreachable: The run was stopped before the turn came.
        """
        if getattr(self._mine, "taken", False):
            yield
            return
        self._take(host)
        try:
            yield
        finally:
            self._give()

    @contextmanager
    def aside(self, host: str) -> Iterator[None]:
        """Let others go first inside, if this thread has a turn: it only waits there.

        Args:
            host: Whom the turn is for.

        Raises:
            HostUnreachable: The run was stopped meanwhile.
        """
        had = getattr(self._mine, "taken", False)
        self._give()
        yield
        if had:
            self._take(host)

    def stop(self) -> None:
        """Let all that wait go without; who comes later may wait again."""
        with self._given:
            self._stops += 1
            self._given.notify_all()
            self._stopped.notify_all()

    def _give(self) -> None:
        if getattr(self._mine, "taken", False):
            self._mine.taken = False
            with self._given:
                self._free += 1
                self._given.notify()

    def _take(self, host: str) -> None:
        with self._given:
            stops = self._stops
            while not self._free and self._stops == stops:
                self._given.wait()
            if self._stops == stops:
                self._free -= 1
                begin = self._next = max(time.monotonic(), self._next + self._apart)
                # Beside the others that have a turn: they must not wait for this pause.
                while self._stops == stops and (early := begin - time.monotonic()) > 0:
                    self._stopped.wait(early)
                if self._stops == stops:
                    self._mine.taken = True
                    return
                self._free += 1
                self._given.notify()
        raise HostUnreachable(host, "stopped before it was connected to", code="stopped")
