"""Make a server on loopback reachable at another address of this machine, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_BLOCK = 65_536


@contextlib.contextmanager
def forwarded(
    address: str, port: int, *, on_answer: Callable[[bytes], None] = lambda _: None
) -> Iterator[int]:
    """Listen on `address` while the context lasts; return the port that leads to 127.0.0.1:port.

    Args:
        address: Of this machine.
        port: Of the server.
        on_answer: Gets what the server sends, piece by piece.
    """
    with socket.create_server((address, 0)) as listener:
        connections: list[tuple[socket.socket, threading.Thread]] = []
        acceptor = threading.Thread(target=_accept, args=(listener, port, connections, on_answer))
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            # Closing alone would not wake the one who waits in accept.
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for client, thread in connections:
                # One whose other end lost its power would never end by itself.
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
                thread.join()


def _accept(
    listener: socket.socket,
    port: int,
    connections: list[tuple[socket.socket, threading.Thread]],
    on_answer: Callable[[bytes], None],
) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            thread = threading.Thread(target=_connect, args=(client, port, on_answer), daemon=True)
            thread.start()
            connections.append((client, thread))


def _connect(client: socket.socket, port: int, on_answer: Callable[[bytes], None]) -> None:
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_copy, args=(server, client, on_answer))
        back.start()
        _copy(client, server, lambda _: None)
        back.join()


def _copy(source: socket.socket, sink: socket.socket, on_data: Callable[[bytes], None]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_BLOCK):
            on_data(data)
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
