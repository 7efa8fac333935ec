"""A local HTTP server that counts how many requests and connections are open at once."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_LONGEST = 10


@dataclass
class CountingServer:
    """Content in ranges, given when enough requests for it are open.

    Attributes:
        content: What there is.
        together: All requests but the first are held until so many are open at once, or were.
        most: Requests that are answered at once; others get 503.
        refusals: So many get that before any but the first is answered.
        wrong_from: From this byte on others are sent than the true ones.
        closes_after: Bytes of each answer after which the connection is closed.
        asked: Ranges, in the order in which they were asked for.
    """

    content: bytes = b""
    together: int = 1
    most: int = 1_000
    refusals: int = 0
    wrong_from: int = 1 << 62
    closes_after: int = 1 << 62
    asked: list[str | None] = field(default_factory=list)
    open: int = 0
    most_open: int = 0
    refused: int = 0
    connections: int = 0
    port: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def source(self) -> dict[str, str]:
        """What a host is told of it."""
        return {"kind": "url", "url": f"http://127.0.0.1:{self.port}/archive?X-Signature=s3cr3t"}

    def come(self, wanted: str | None) -> bool:
        """Count a request, and return whether it is answered, once it may be."""
        with self.changed:
            self.asked.append(wanted)
            first = len(self.asked) == 1
            if self.open >= self.most:
                self.refused += 1
                self.changed.notify_all()
                return False
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.changed.notify_all()
            if not first:
                self.changed.wait_for(self._may_go, _LONGEST)
            return True

    def go(self) -> None:
        """Count a request as answered."""
        with self.changed:
            self.open -= 1

    def _may_go(self) -> bool:
        return self.most_open >= self.together and self.refused >= self.refusals


@contextmanager
def counting_server(server: CountingServer) -> Iterator[CountingServer]:
    """Run it while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            server.connections += 1

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            if not server.come(wanted):
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            # From here on who asked may ask again.
            server.go()
            self._give(wanted or "bytes=0-")

        def _give(self, wanted: str) -> None:
            match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
            assert match is not None
            start = int(match[1])
            end = int(match[2]) + 1 if match[2] else len(server.content)
            body = bytearray(server.content[start:end])
            for at in range(max(server.wrong_from - start, 0), len(body)):
                body[at] ^= 1
            self.send_response(206)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(server.content)}")
            self.end_headers()
            self.wfile.write(body[: server.closes_after])
            self.close_connection = len(body) > server.closes_after

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that leaves early is part of the play."""

    with Server(("127.0.0.1", 0), Handler) as running:
        server.port = running.server_address[1]
        thread = threading.Thread(target=running.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            with server.changed:
                server.together = server.refusals = 0
                server.changed.notify_all()
            running.shutdown()
            thread.join()
