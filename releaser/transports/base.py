"""What the session needs of a way to a host: one byte stream each way, and its complaints."""

from __future__ import annotations

from typing import Protocol


class Channel(Protocol):
    """The standard input and output of one command that runs on a host.

    A channel is used by one thread at a time. Every method but `close` may raise `ChannelClosed`
    when the command or the connection is gone, or `ChannelTimeout`.
    """

    def send(self, data: bytes, *, timeout: float) -> None:
        """Write all of `data`, waiting at most `timeout` seconds for the host to take it."""

    def receive(self, *, timeout: float) -> bytes:
        """Return at least one byte, waiting at most `timeout` seconds."""

    def complaints(self) -> str:
        """Return the end of what the command wrote to standard error, and how it ended."""

    def close(self) -> None:
        """End the command's standard input and let go of the connection; never raises."""


class Detoured(Channel, Protocol):
    """A channel to a host that has relays.

    Attributes:
        detour: Which of them could not be used and why, the first first; empty if it goes by way
            of the first.
    """

    detour: str
