"""A channel to an agent that says what a test wants."""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import ChannelClosed, ChannelTimeout

HOST = ResolvedHost(
    name="web1",
    address="web1",
    roles=(),
    transport="local",
    user=None,
    port=22,
    key=None,
    jump=None,
    python=None,
    root="/srv/x",
    env={},
    known_hosts=None,
)
HELLO = b'{"castoff": 1, "python": "3.9.2"}\n'


class Scripted:
    """A channel that says what it was given, then ends or falls silent."""

    def __init__(self, *said: bytes, silent: bool = False, complaints: str = "") -> None:
        self._said = list(said)
        self._silent = silent
        self._complaints = complaints
        self.heard = b""
        self.closed = False

    def send(self, data: bytes, *, timeout: float) -> None:
        del timeout
        self.heard += data

    def receive(self, *, timeout: float) -> bytes:
        del timeout
        if self._said:
            return self._said.pop(0)
        raise ChannelTimeout if self._silent else ChannelClosed

    def complaints(self) -> str:
        return self._complaints

    def close(self) -> None:
        self.closed = True
