"""Connect to hosts while the controller still reads what the run is about.

Logging in and starting an agent is mostly waiting for the host. Nothing is done there by it: the
app is opened, and its lock taken, when the run has its lease.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from types import TracebackType

from typing_extensions import Self

from castoff.config.environment_tables import Environment
from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostUnreachable
from castoff.releaser.patience import now, waited
from castoff.releaser.secrets.conceal import Redact, conceal
from castoff.releaser.session import AgentSession
from castoff.releaser.transports.connect import Connect, connector
from castoff.releaser.turns import Turns

# With more hosts the controller has its hands full with connecting, whenever that begins.
_MOST = 32
# Seconds after which an idle connection is not taken for one that is still there, nor a host that
# did not answer for one that still does not.
_FRESH = 20.0


class Early:
    """Sessions that were begun before they are needed.

    A context manager, at whose end those that nobody took are closed.

    Attributes:
        connect: How the hosts are reached.
        turns: In which order, and how many at once.
    """

    def __init__(
        self,
        hosts: Iterable[ResolvedHost],
        environment: Environment,
        *,
        connect: Connect | None = None,
        by_url: bool = False,
    ) -> None:
        """Begin to connect to hosts, if they are few.

        Args:
            hosts: To which.
            environment: What they are of.
            connect: How they are reached; as configured where it is None.
            by_url: Whether they will fetch from the store by themselves.

        Raises:
            UsageError: The system does not allow so many connections or threads.
        """
        wanted = list(hosts)
        self.connect = connect or connector(wanted)
        self.turns = Turns(environment.fan_out)
        self._begun: dict[str, _Begun] = {}
        self._all: list[_Begun] = []
        fan_out = environment.fan_out
        # At a low rate the first ones would be idle for too long, and take others' turns twice.
        if len(wanted) > min(_MOST, fan_out.concurrency, fan_out.rate):
            return
        for host in wanted:
            # A password may have to be looked up, and a relay stands for more than one host.
            if host.sudo_password is not None or host.relays:
                continue
            begun = _Begun(host, self.connect, self.turns, environment.limits.connect, by_url)
            try:
                begun.start()
            # No more threads: whoever needs the session connects by itself.
            except (RuntimeError, MemoryError):
                break
            self._begun[host.name] = begun
        self._all = list(self._begun.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._begun.clear()
        for begun in self._all:
            begun.abandon()

    def take(self, host: ResolvedHost, *, limit: float, redact: Redact) -> AgentSession | None:
        """Return the session with a host, once; None if there is none to be had.

        Args:
            host: The host.
            limit: Seconds to wait for it at most.
            redact: Takes secrets from the texts of all errors that come from there.

        Raises:
            HostUnreachable: It could not be connected to.
        """
        begun = self._begun.pop(host.name, None)
        return None if begun is None else begun.session(limit, redact)


class _Begun(threading.Thread):
    """One host that is being connected to."""

    def __init__(
        self, host: ResolvedHost, connect: Connect, turns: Turns, limit: float, by_url: bool
    ) -> None:
        super().__init__(name=f"early {host.name}", daemon=True)
        self._host = host
        self._connect = connect
        self._turns = turns
        self._limit = limit
        self._by_url = by_url
        self._changed = threading.Condition()
        self._abandoned = False
        self._session: AgentSession | None = None
        self._trouble: BaseException | None = None
        self._since = 0.0

    def run(self) -> None:
        """Connect, and have the agent get ready."""
        session: AgentSession | None = None
        trouble: BaseException | None = None
        try:
            with self._turns.taken(self._host.name):
                session = AgentSession.start(self._host, self._connect, timeout=self._limit)
            session.foretell("prepare", by_url=self._by_url, timeout=self._limit)
        except BaseException as error:  # noqa: BLE001 (raised again by the thread that needs it)
            trouble = error
        with self._changed:
            if session is not None and (trouble is not None or self._abandoned):
                session.close()
                session = None
            self._session, self._trouble, self._since = session, trouble, time.monotonic()
            self._changed.notify_all()

    def session(self, limit: float, redact: Redact) -> AgentSession | None:
        """Return the session, waiting for it; None if it may be gone by now."""
        name = self._host.name
        with self._changed:
            in_time = waited(self._is_over, until=now() + limit)
            if self._abandoned:
                raise HostUnreachable(name, "stopped before it was connected to", code="stopped")
            if not in_time:
                self._abandoned = True
                raise HostUnreachable(name, "cannot connect: no answer in time", code="unreachable")
            # From now on it is the caller's to close.
            session, self._session = self._session, None
            trouble = self._trouble
        is_old = time.monotonic() - self._since > _FRESH
        if session is None:
            if trouble is None or is_old:
                return None
            conceal(trouble, redact)
            raise trouble
        if is_old:
            session.close()
            return None
        session.conceal_by(redact)
        return session

    def _is_over(self, timeout: float) -> bool:
        return self._changed.wait_for(lambda: self._since > 0 or self._abandoned, timeout)

    def abandon(self) -> None:
        """Close it, now or when it is there, unless somebody has taken it."""
        with self._changed:
            self._abandoned = True
            # Else the command would end no sooner than its threads, which wait for the host.
            self._changed.notify_all()
            session, self._session = self._session, None
        if session is not None:
            session.close()
