"""What several hosts share, made by whoever comes first: connections to jump hosts and relays.

Every connection of a fleet behind one gate would otherwise log in to that gate as well: twice the
handshakes here, and at the gate as many logins as there are hosts, at once.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.patience import now, waited

# Hosts on one connection: a thread of ours has to decrypt what comes from all of them.
MOST_ON_ONE = 64


class Shareable(Protocol):
    """What can be shared."""

    @property
    def alive(self) -> bool:
        """Whether it is of use to others yet."""

    def close(self) -> None:
        """Let go of it; never raises."""


S = TypeVar("S", bound=Shareable)


@dataclass(eq=False, slots=True)
class _Shared(Generic[S]):
    """A connection, maybe still being made."""

    key: Hashable
    users: int = 1
    made: concurrent.futures.Future[S] = field(default_factory=concurrent.futures.Future)

    def usable(self, most: int) -> bool:
        """Whether another host may go through it."""
        return self.users < most and (not self.made.done() or self.made.result().alive)


class Part(Generic[S]):
    """One host's part in what it shares with others."""

    def __init__(self, pool: Pool[S], shared: _Shared[S]) -> None:
        self._pool = pool
        self._shared = shared
        self._open = True

    @property
    def whole(self) -> S:
        """What it is a part of."""
        return self._shared.made.result()

    def close(self) -> None:
        """Give it up; with the last one's part the connection goes."""
        if self._open:
            self._open = False
            self._pool.leave(self._shared)


class Pool(Generic[S]):
    """All connections of one kind; for any number of threads.

    Args:
        to: What they lead to, for messages.
        most: Hosts on one of them.
    """

    def __init__(self, to: str, *, most: int = MOST_ON_ONE) -> None:
        self._to = to
        self._most = most
        self._lock = threading.Lock()
        self._shared: dict[Hashable, list[_Shared[S]]] = {}

    def part(
        self, key: Hashable, host: str, connect: Callable[[], S], *, timeout: float
    ) -> Part[S]:
        """Return a part in a connection, which is made by whoever comes first.

        Args:
            key: The same for all that go the same way.
            host: The host behind it, for messages.
            connect: Makes the connection; what it raises is raised to all that wait for it.
            timeout: Seconds that a host waits for another that makes it.

        Raises:
            HostUnreachable: It could not be made.
        """
        with self._lock:
            several = self._shared.setdefault(key, [])
            shared = next((one for one in several if one.usable(self._most)), None)
            if shared is not None:
                shared.users += 1
            else:
                several.append(own := _Shared[S](key))
        if shared is None:
            self._make(own, connect)
            return Part(self, own)
        if not waited(lambda left: _is_made(shared.made, left), until=now() + timeout):
            self.leave(shared)
            raise HostUnreachable(
                host, f"no answer in time from the {self._to}", code="unreachable"
            )
        try:
            shared.made.result()
        except HostUnreachable as error:
            raise type(error)(host, error.detail, code=error.code, hint=error.hint) from error
        return Part(self, shared)

    def leave(self, shared: _Shared[S]) -> None:
        """Count one host less on a connection, and close it after the last."""
        with self._lock:
            shared.users -= 1
            if shared.users:
                return
            self._forget(shared)
        shared.made.result().close()

    def _make(self, shared: _Shared[S], connect: Callable[[], S]) -> None:
        try:
            shared.made.set_result(connect())
        except BaseException as error:
            with self._lock:
                self._forget(shared)
            shared.made.set_exception(error)
            raise

    def _forget(self, shared: _Shared[S]) -> None:
        several = self._shared[shared.key]
        several.remove(shared)
        if not several:
            del self._shared[shared.key]


def _is_made(made: concurrent.futures.Future[S], timeout: float) -> bool:
    """Wait so many seconds; return whether it is made, or is known not to come."""
    return bool(concurrent.futures.wait([made], timeout).done)
