"""A connection to a server that is spoken to by lines, within a step's time."""

from __future__ import annotations

import socket

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errand import Errand

_BLOCK = 65_536
# The longest line that any of those servers has to say, bytes.
_MOST_LINE = 64 * 1024 * 1024


class PlainSocket:
    """A stream of lines and of blocks; leaving the context closes it.

    Every method raises AgentError `step-failed` if the server goes, and `step-timeout`.
    """

    def __init__(
        self, errand: Errand, name: str, place: tuple[str, int] | str, *, tls: bool = False
    ) -> None:
        """Connect to a host and a port, or to a unix socket."""
        self._errand = errand
        self._name = name
        self._heard = b""
        left = errand.deadline.left()
        try:
            if isinstance(place, str):
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._socket.settimeout(left)
                self._socket.connect(place)
            else:
                self._socket = socket.create_connection(place, left)
            if tls:
                import ssl

                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=place[0])
        except OSError as error:
            raise self._lost(error) from error

    def __enter__(self) -> PlainSocket:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send all of some bytes."""
        self._socket.settimeout(self._errand.deadline.left())
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from error

    def line(self) -> bytes:
        """Return the next line, without CR LF."""
        while b"\r\n" not in self._heard:
            if len(self._heard) > _MOST_LINE:
                raise self._errand.failed(f"{self._name} does not speak its protocol")
            self._hear()
        line, _, self._heard = self._heard.partition(b"\r\n")
        return line

    def block(self, length: int) -> bytes:
        """Return so many bytes, which CR LF follow."""
        while len(self._heard) < length + 2:
            self._hear()
        block, self._heard = self._heard[:length], self._heard[length + 2 :]
        return block

    def _hear(self) -> None:
        self._socket.settimeout(self._errand.deadline.left())
        try:
            data = self._socket.recv(_BLOCK)
        except OSError as error:
            raise self._lost(error) from error
        if not data:
            raise self._errand.failed(f"{self._name} closed the connection")
        self._heard += data

    def _lost(self, error: OSError) -> AgentError:
        if isinstance(error, socket.timeout):
            # Says that the time is up.
            try:
                self._errand.deadline.left()
            except AgentError as over:
                return over
        return self._errand.failed(f"{self._name}: {error.strerror or error}")
