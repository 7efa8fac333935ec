"""A connection to a host, and the part that it has in one to a jump host."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import paramiko


class Part(Protocol):
    """A host's part in a connection that others use too."""

    def close(self) -> None:
        """Give it up; with the last one's part the connection goes."""


@dataclass(frozen=True, slots=True)
class Connection:
    """One host's own connection.

    Attributes:
        transport: What channels are opened on.
        through: What it goes through; None where it leads straight to the host.
    """

    transport: paramiko.Transport
    through: Part | None = None

    @property
    def alive(self) -> bool:
        """Whether channels can be opened on it."""
        return self.transport.is_active()

    def close(self) -> None:
        """Close it, then let go of the jump host; never raises."""
        hang_up(self.transport)
        if self.through is not None:
            self.through.close()


def hang_up(transport: paramiko.Transport) -> None:
    """Close one connection; never raises."""
    # Its thread waits for data, and to close what it waits at would not wake it.
    with suppress(OSError, EOFError):
        transport.sock.shutdown(socket.SHUT_RDWR)
    transport.close()
