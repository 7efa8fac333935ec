"""Hosts that are reached by way of a relay; directly, where none of their relays can be used."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable

from castoff.config.hosts import ResolvedHost
from castoff.releaser.bundle import bootstrap
from castoff.releaser.errors import ChannelClosed, ChannelTimeout, HostUnreachable
from castoff.releaser.patience import now
from castoff.releaser.transports.base import Detoured
from castoff.releaser.transports.hostkeys import TrustedKeys
from castoff.releaser.transports.key_service import KeyService
from castoff.releaser.transports.pool import Part, Pool
from castoff.releaser.transports.relay_errors import TOO_OLD, is_passing, not_let_in
from castoff.releaser.transports.relay_link import Link
from castoff.releaser.transports.relayed import RelayedChannel
from castoff.releaser.transports.route import Hop

_MOST_BEHIND = 1_024
# Seconds that a relay which could not be used is let alone.
_ALONE = 30.0
_RETRY_PAUSE = 0.4
# Of the time that is left, what a relay may take until it can be used.
_SHARE = 0.6
# Seconds that a try needs, and in which a relay that is there says that it has begun.
_LEAST = 2.0
_ALIAS = "castoff"

Start = Callable[[ResolvedHost, str, float], Detoured]


class _Unusable(Exception):
    """A relay cannot be used, whatever the host behind it is like."""


class Relays:
    """All relays of one command; for any number of threads.

    Args:
        start: Starts a command on a host, without a relay.
        start_relay: The same, but takes a refusal for what it is, since there are other ways.
        hop: Returns where a host is, and who logs in.
        trusted: Returns the host keys that count for it.
    """

    def __init__(
        self,
        start: Start,
        start_relay: Start,
        hop: Callable[[ResolvedHost], Hop],
        trusted: Callable[[Hop], TrustedKeys],
    ) -> None:
        self._start = start
        self._start_relay = start_relay
        self._hop = hop
        self._trusted = trusted
        self._links: Pool[Link] = Pool("relay", most=_MOST_BEHIND)
        self._lock = threading.Lock()
        self._failed: dict[str, tuple[float, str]] = {}

    def open(self, host: ResolvedHost, command: str, timeout: float) -> Detoured:
        """Start a command on a host by way of the first of its relays that can be used.

        Where none can, it is connected to directly. A host that a relay cannot reach is not tried
        otherwise: it is down, or the relay has told us what is wrong.

        Raises:
            HostKeyRejected: The host's key is unknown or has changed.
            HostUnreachable: No connection, no login, or no command.
        """
        deadline = now() + timeout
        hop = self._hop(host)
        tried: list[str] = []
        for relay in host.relays:
            if (why := self._why_not(relay)) is None:
                try:
                    channel = self._through(relay, host, hop, command, deadline)
                except _Unusable as error:
                    why = str(error)
                    with self._lock:
                        self._failed[relay.name] = (now() + _ALONE, why)
                else:
                    channel.detour = "; ".join(tried)
                    return channel
            tried.append(f"by way of {relay.name}: {why}")
        try:
            direct = self._start(host, command, _left(deadline))
        except HostUnreachable as error:
            detail = "; ".join([error.detail, *tried])
            raise type(error)(host.name, detail, code=error.code, hint=error.hint) from error
        direct.detour = "; ".join(tried)
        return direct

    def _why_not(self, relay: ResolvedHost) -> str | None:
        with self._lock:
            until, why = self._failed.get(relay.name, (0.0, ""))
        return why if now() < until else None

    def _through(
        self, relay: ResolvedHost, host: ResolvedHost, hop: Hop, command: str, deadline: float
    ) -> RelayedChannel:
        part = self._link(relay, host, deadline)
        try:
            channel = self._patiently(part.whole, host, hop, command, deadline)
        except BaseException:
            part.close()
            raise
        channel.on_close = part.close
        return channel

    def _patiently(
        self, link: Link, host: ResolvedHost, hop: Hop, command: str, deadline: float
    ) -> RelayedChannel:
        trusted = self._trusted(hop)
        while True:
            channel, said = self._try(link, host, hop, trusted, command, deadline)
            if channel is not None:
                return channel
            pause = _RETRY_PAUSE * (1 + random.random())  # noqa: S311 (jitter)
            # A try with hardly any time would only say that there was none.
            if deadline - now() < pause + _LEAST or not is_passing(said.message):
                raise said
            time.sleep(pause)

    def _link(self, relay: ResolvedHost, host: ResolvedHost, deadline: float) -> Part[Link]:
        # Whatever comes then must have its time too.
        patience = _left(deadline) * _SHARE

        def make() -> Link:
            until = now() + patience
            channel = self._start_relay(relay, bootstrap(relay.python or "python3"), patience)
            return Link.start(relay, channel, timeout=_left(until))

        try:
            return self._links.part(relay.name, host.name, make, timeout=patience)
        except HostUnreachable as error:
            raise _Unusable(error.detail) from error

    def _try(
        self,
        link: Link,
        host: ResolvedHost,
        hop: Hop,
        trusted: TrustedKeys,
        command: str,
        deadline: float,
    ) -> tuple[RelayedChannel | None, HostUnreachable]:
        """Return the channel; or None, and why there is none."""
        lends = host.relay_login == "controller"
        service = KeyService(hop, trusted)
        lines = trusted.known(host.name, hop.address, hop.port, alias=_ALIAS)
        opening = {
            "address": hop.address,
            "port": hop.port,
            "user": hop.user,
            "command": command,
            "alias": _ALIAS,
            "known": "".join(f"{line}\n" for line in lines),
            "keys": lends,
            "seconds": max(math.ceil(_left(deadline)), 1),
        }
        asked = now()
        silent = HostUnreachable(
            host.name,
            f"no answer in time from {hop.address} port {hop.port}, by way of the relay "
            f"{link.name}",
            code="unreachable",
            hint=f"Try on {link.name}: ssh -p {hop.port} {hop.user}@{hop.address}",
        )
        channel: RelayedChannel | None = None
        try:
            channel = link.open(opening, timeout=_left(deadline))
            start = asked + _left(deadline) * _SHARE
            if channel.wait_until_up(service.answer, start=start, deadline=deadline):
                return channel, silent
        except ChannelClosed as error:
            raise _Unusable(channel.lost if channel else "it is gone") from error
        except ChannelTimeout as error:
            # A line that is busy with what other hosts say is there.
            talks = link.has_spoken_since(asked) or (channel is not None and channel.started)
            if talks or now() - asked < _LEAST:
                if channel is not None:
                    channel.close()
                raise silent from error
            link.close()
            raise _Unusable("it does not answer any more") from error
        except BaseException:
            if channel is not None:
                channel.close()
            raise
        if not channel.started:
            raise _Unusable(channel.said.strip())
        if service.unbound:
            raise _Unusable(TOO_OLD)
        return None, not_let_in(host, hop, link.name, channel.said, offered=service.offered)


def _left(deadline: float) -> float:
    return max(deadline - now(), 0.05)
