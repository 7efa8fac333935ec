"""Make a server on loopback reachable at another address of this machine, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

_BLOCK = 65_536


@contextlib.contextmanager
def forwarded(address: str, port: int) -> Iterator[int]:
    """Listen on `address` while the context lasts; return the port that leads to 127.0.0.1:port."""
    with socket.create_server((address, 0)) as listener:
        connections: list[threading.Thread] = []
        acceptor = threading.Thread(target=_accept, args=(listener, port, connections))
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # Closing alone would not wake the one who waits in accept.
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for connection in connections:
                connection.join()


def _accept(listener: socket.socket, port: int, connections: list[threading.Thread]) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            thread = threading.Thread(target=_connect, args=(client, port), daemon=True)
            thread.start()
            connections.append(thread)


def _connect(client: socket.socket, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_copy, args=(server, client))
        back.start()
        _copy(client, server)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_BLOCK):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
