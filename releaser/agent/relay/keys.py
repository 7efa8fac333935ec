"""The socket at which a host's ssh asks for signatures; the controller gives them, or does not."""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress

from .loop import READ, WRITE, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LENGTH = struct.Struct(">I")
# As OpenSSH's agent.
_MOST = 256 * 1024


class KeySocket:
    """One socket, and one connection to it at a time.

    Args:
        path: Where it is made.
        loop: Waits for it.
        ask: Called with each request, without its length; `answer` is called in return.
    """

    def __init__(self, path: str, loop: Loop, ask: Callable[[bytes], None]) -> None:
        self._path = path
        self._loop = loop
        self._ask = ask
        self._heard = bytearray()
        self._unsaid = b""
        # How many requests have no answer yet; those of a connection that has gone get none.
        self._open = 0
        self._stale = 0
        self._connection: socket.socket | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.setblocking(False)
        self._listener.bind(path)
        self._listener.listen(4)
        self._loop.on(self._listener.fileno(), READ, self._accept)

    def answer(self, data: bytes) -> None:
        """Pass on the controller's answer to the oldest request."""
        if self._stale:
            self._stale -= 1
            return
        if self._connection is None or not self._open:
            return
        self._open -= 1
        self._unsaid += _LENGTH.pack(len(data)) + data
        self._loop.on(self._connection.fileno(), WRITE, self._write)

    def close(self) -> None:
        """Take the socket away."""
        self._hang_up()
        self._loop.forget(self._listener.fileno())
        self._listener.close()
        with suppress(OSError):
            os.unlink(self._path)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            # Nobody any more, or no descriptor for it yet.
            return
        connection.setblocking(False)
        self._connection = connection
        # Others wait until this one is done.
        self._loop.on(self._listener.fileno(), READ, None)
        self._loop.on(connection.fileno(), READ, self._read)

    def _read(self) -> None:
        if self._connection is None:
            return
        try:
            data = self._connection.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._heard += data
        if not data or not self._pass_on():
            self._hang_up()
            self._loop.on(self._listener.fileno(), READ, self._accept)

    def _pass_on(self) -> bool:
        while len(self._heard) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._heard)
            if length > _MOST:
                return False
            if len(self._heard) < _LENGTH.size + length:
                break
            request = bytes(self._heard[_LENGTH.size : _LENGTH.size + length])
            del self._heard[: _LENGTH.size + length]
            self._open += 1
            self._ask(request)
        return True

    def _write(self) -> None:
        if self._connection is None:
            return
        try:
            written = self._connection.send(self._unsaid)
        except BlockingIOError:
            return
        except OSError:
            written = len(self._unsaid)
        self._unsaid = self._unsaid[written:]
        if not self._unsaid:
            self._loop.on(self._connection.fileno(), WRITE, None)

    def _hang_up(self) -> None:
        if self._connection is None:
            return
        self._loop.forget(self._connection.fileno())
        self._connection.close()
        self._connection = None
        self._heard.clear()
        self._unsaid = b""
        self._stale += self._open
        self._open = 0
