"""Real hosts under the faults of `support.memory_fleet`: the same sequences of events, for real.

Requests and answers go over real SSH connections to real agents; a fault loses one of them, or the
connection, or the controller, at the same places as in memory.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from castoff.config.hosts import ResolvedHost
from castoff.releaser.transports.base import Channel
from castoff.releaser.transports.connect import Connect
from support.memory_fleet import StruckFleet


@dataclass
class SshModelFleet(StruckFleet):
    """Connects to real hosts."""

    reach: Connect = field(kw_only=True)
    channels: list[StruckChannel] = field(default_factory=list)

    def connect(self, host: ResolvedHost, timeout: float) -> StruckChannel:
        """Start an agent on a host."""
        self.reached(host.name)
        channel = StruckChannel(self, host.name, self.reach(host, timeout))
        self.channels.append(channel)
        return channel

    def hang_up(self) -> None:
        """End all connections, as the end of a controller does."""
        for channel in self.channels:
            channel.close()
        self.channels.clear()


class StruckChannel:
    """A channel of the real transport on which a message may be lost."""

    def __init__(self, fleet: SshModelFleet, host: str, channel: Channel) -> None:
        self._fleet = fleet
        self._host = host
        self._channel = channel
        self._op = "start"

    def send(self, data: bytes, *, timeout: float) -> None:
        """Send, unless it is the request to be lost."""
        if data.startswith(b'{"id"'):
            self._op = str(json.loads(data)["op"])
            self._fleet.strike(self._host, self._op, before=True)
        self._channel.send(data, timeout=timeout)

    def receive(self, *, timeout: float) -> bytes:
        """Receive, unless it is the answer to be lost."""
        data = self._channel.receive(timeout=timeout)
        if b'"result"' in data or b'"error"' in data:
            self._fleet.strike(self._host, self._op, before=False)
        return data

    def complaints(self) -> str:
        """Return what the real channel has."""
        return self._channel.complaints()

    def close(self) -> None:
        """Close the real channel."""
        self._channel.close()
