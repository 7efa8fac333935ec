"""All hosts of one release: their sessions, and one way to do a thing on many at once."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from castoff.config.environment_tables import Environment
from castoff.config.hosts import ResolvedHost
from castoff.releaser.colors import Colors
from castoff.releaser.early import Early
from castoff.releaser.errors import HostError, HostUnreachable
from castoff.releaser.patience import now
from castoff.releaser.replies import Opened
from castoff.releaser.secrets.conceal import Redact, as_it_is
from castoff.releaser.session import AgentSession, Asked
from castoff.releaser.transports.connect import Connect
from castoff.releaser.turns import Turns
from castoff.store.manifest import Target

T = TypeVar("T")

_PAUSE = 0.3


@dataclass(frozen=True, slots=True)
class Opening:
    """How sessions are opened: what `open` is told beside the host's own settings.

    Attributes:
        app: The app's name.
        token: Fencing token of the lease; 0 for readers.
        owner: Who, for the host's lock.
        lock: Whether the host's lock is taken.
        target: What the release needs of a host; None where that does not matter.
        need: Bytes of disk that the release needs.
        rights: Whose the app's shared and writable paths are to be; `kept.rights` makes it.
        files: Where each host's configuration files are to be; `configuration.files.places`.
        even_if_full: Whether hosts whose disk is full are opened too, to be pruned.
    """

    app: str
    token: int = 0
    owner: str = ""
    lock: bool = False
    target: Target | None = None
    need: int = 0
    rights: tuple[dict[str, Any], ...] = ()
    files: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    even_if_full: bool = False

    def for_going_back(self) -> Opening:
        """Return the same without conditions: what a host goes back to lies there already."""
        return replace(self, target=None, need=0, rights=(), files={})


class Fleet:
    """Open sessions by host name; a context manager that closes them all."""

    def __init__(
        self,
        connect: Connect,
        opening: Opening,
        *,
        environment: Environment,
        redact: Redact = as_it_is,
        early: Early | None = None,
    ) -> None:
        """Take how hosts are reached and opened, and what keeps secrets out of their errors.

        Of the environment its limits count, and how many hosts are connected to at once. Hosts that
        are being connected to already are taken over from there.
        """
        self._early = early
        self._connect = connect
        self._redact = redact
        # By which a host knows a connection of ours again that we have given up.
        self._claim = secrets.token_hex(8)
        self.opening = opening
        self._limit = environment.limits.connect
        self.turns = Turns(environment.fan_out) if early is None else early.turns
        self.sessions: dict[str, AgentSession] = {}
        self.opened: dict[str, Opened] = {}
        # What each host's steps are about, where there are two instances on it.
        self.colors: dict[str, Colors] = {}
        # The set of rendered files that each host's flip brings into use.
        self.configs: dict[str, str] = {}
        # Set once nobody waits any more for what those who have it would try again.
        self.stopped = threading.Event()

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_trying()
        # A copy: on an interrupt, threads that were left behind may still add to it.
        for session in list(self.sessions.values()):
            session.close()

    def stop_trying(self) -> None:
        """Let threads that would try something, or try it again, give up; later ones may try."""
        self.turns.stop()
        self.stopped.set()
        self.stopped = threading.Event()

    def open(self, host: ResolvedHost, *, limit: float = math.inf) -> Opened:
        """Start the agent on a host and open the app there, when its turn has come.

        Args:
            host: The host.
            limit: Seconds that it may take, if that is less than the limit of connecting.

        Raises:
            HostError: It cannot be reached, is busy, or cannot take the release.
        """
        with self.turns.taken(host.name):
            return self._open(host, min(limit, self._limit))

    def _open(self, host: ResolvedHost, limit: float) -> Opened:
        early, redact = self._early, self._redact
        session = None if early is None else early.take(host, limit=limit, redact=redact)
        if session is not None:
            try:
                return self._ask(host, session, limit)
            except HostUnreachable as error:
                # What was idle until now may have ended unnoticed, and nothing depended on it.
                if error.code != "lost":
                    raise
                self.close(host)
        session = AgentSession.start(host, self._connect, timeout=limit, redact=redact)
        return self._ask(host, session, limit)

    def _ask(self, host: ResolvedHost, session: AgentSession, limit: float) -> Opened:
        self.sessions[host.name] = session
        opening = self.opening
        opened = session.ask(
            Opened,
            "open",
            Asked(timeout=limit),
            app=opening.app,
            root=host.root,
            token=opening.token,
            owner=opening.owner,
            lock=opening.lock,
            claim=f"{self._claim} {host.name}",
            target=None if opening.target is None else opening.target.model_dump(mode="json"),
            need=opening.need,
            rights=list(opening.rights),
            files=list(opening.files.get(host.name, ())),
            even_if_full=opening.even_if_full,
            python=host.python,
        )
        self.opened.setdefault(host.name, opened)
        return opened

    def open_patiently(
        self, host: ResolvedHost, *, patience: Mapping[str, float], limit: float = math.inf
    ) -> Opened:
        """Open a host anew, trying again while it answers with certain errors.

        Args:
            host: The host.
            patience: For how many seconds to try again, by the error's code.
            limit: As `open` for each try.

        Raises:
            HostError: It was of another code, or it stayed.
        """
        started: float | None = None
        while True:
            self.close(host)
            try:
                return self.open(host, limit=limit)
            except HostError as error:
                # From the first refusal, before which it may have waited long for its turn.
                started = now() if started is None else started
                waited = now() - started
                if waited + _PAUSE >= patience.get(error.code, 0):
                    raise
                with self.turns.aside(host.name):
                    time.sleep(_PAUSE)

    def close(self, host: ResolvedHost) -> None:
        """End the session with a host, if there is one."""
        session = self.sessions.pop(host.name, None)
        if session is not None:
            session.close()
