"""A way to a server on loopback that can be shut, as if the server were stopped, or paused."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_BLOCK = 65_536


class Valve:
    """Forwards connections to a port of 127.0.0.1, byte for byte, while it is open.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._refuses = False
        self._sockets: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def shut(self) -> None:
        """Break all connections, and each new one as soon as it is made."""
        self._refuses = True
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def pause(self) -> None:
        """Take connections and bytes, and pass nothing on."""
        self._open.clear()

    def open(self) -> None:
        """Pass everything on."""
        self._refuses = False
        self._open.set()

    def close(self) -> None:
        """End it all."""
        self.shut()
        self._open.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._refuses:
                    client.close()
                else:
                    threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            self._sockets |= {client, server}
            back = threading.Thread(target=self._copy, args=(server, client), daemon=True)
            back.start()
            self._copy(client, server)
            back.join()
            self._sockets -= {client, server}

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_BLOCK):
                self._open.wait()
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def valve(server: int) -> Iterator[Valve]:
    """Run one while the context lasts."""
    made = Valve(server)
    try:
        yield made
    finally:
        made.close()
