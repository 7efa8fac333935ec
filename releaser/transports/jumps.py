"""Connections to jump hosts, which the hosts behind them share.

Every connection of a fleet behind one gate would otherwise log in to that gate as well: twice the
handshakes here, and at the gate as many logins as there are hosts, at once.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import paramiko

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.connection import Connection

# Hosts on one connection: a thread of ours has to decrypt what comes from all of them.
MOST_ON_ONE = 64


@dataclass(eq=False, slots=True)
class _Shared:
    """A connection, maybe still being made."""

    key: Hashable
    users: int = 1
    made: concurrent.futures.Future[Connection] = field(default_factory=concurrent.futures.Future)

    @property
    def usable(self) -> bool:
        """Whether another host may go through it."""
        if self.users >= MOST_ON_ONE:
            return False
        return not self.made.done() or self.made.result().transport.is_active()


class Part:
    """One host's part in a connection to a jump host."""

    def __init__(self, jumps: Jumps, shared: _Shared) -> None:
        self._jumps = jumps
        self._shared = shared
        self._open = True

    @property
    def transport(self) -> paramiko.Transport:
        """What channels to hosts behind the jump host are opened on."""
        return self._shared.made.result().transport

    def close(self) -> None:
        """Give it up; with the last one's part the connection goes."""
        if self._open:
            self._open = False
            self._jumps.leave(self._shared)


class Jumps:
    """All connections to jump hosts of one transport; for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shared: dict[Hashable, list[_Shared]] = {}

    def part(
        self, key: Hashable, host: str, connect: Callable[[], Connection], *, timeout: float
    ) -> Part:
        """Return a part in a connection, which is made by whoever comes first.

        Args:
            key: The same for all that go the same way.
            host: The host behind it, for messages.
            connect: Makes the connection; what it raises is raised to all that wait for it.
            timeout: Seconds that a host waits for another that makes it.

        Raises:
            HostUnreachable: The jump host cannot be reached or logged in to.
        """
        with self._lock:
            several = self._shared.setdefault(key, [])
            shared = next((one for one in several if one.usable), None)
            if shared is not None:
                shared.users += 1
            else:
                several.append(own := _Shared(key))
        if shared is None:
            self._make(own, connect)
            return Part(self, own)
        try:
            shared.made.result(timeout)
        except concurrent.futures.TimeoutError as error:
            self.leave(shared)
            raise HostUnreachable(
                host, "no answer in time from the jump host", code="unreachable"
            ) from error
        except HostUnreachable as error:
            raise type(error)(host, error.detail, code=error.code, hint=error.hint) from error
        return Part(self, shared)

    def leave(self, shared: _Shared) -> None:
        """Count one host less on a connection, and close it after the last."""
        with self._lock:
            shared.users -= 1
            if shared.users:
                return
            self._forget(shared)
        shared.made.result().close()

    def _make(self, shared: _Shared, connect: Callable[[], Connection]) -> None:
        try:
            shared.made.set_result(connect())
        except BaseException as error:
            with self._lock:
                self._forget(shared)
            shared.made.set_exception(error)
            raise

    def _forget(self, shared: _Shared) -> None:
        several = self._shared[shared.key]
        several.remove(shared)
        if not several:
            del self._shared[shared.key]
