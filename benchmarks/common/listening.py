"""Wait for a server that was just started."""

from __future__ import annotations

import socket
from contextlib import suppress

import common.hosts  # noqa: F401 (makes the name `support` known)
from support.traps import wait_until


def until_it_listens(address: str, port: int, server: str) -> None:
    """Wait until a server accepts connections; at most a minute.

    Raises:
        AssertionError: It does not; the message names the server.
    """
    wait_until(lambda: _listens(address, port), f"{server} does not listen")


def _listens(address: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False
