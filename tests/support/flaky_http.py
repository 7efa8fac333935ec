"""A local HTTP server that misbehaves on purpose, one behaviour for each request in turn."""

from __future__ import annotations

import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """How one request is answered.

    Attributes:
        status: Status code; anything but 200 and 206 comes without the content.
        limit: Break off after so many bytes of the body; None to send it all.
        reset: Whether breaking off is a TCP reset, not a silent end.
        ranges: Whether a `Range` header is honoured.
        wrong: Whether the bytes are other than the true ones.
        shift: Answer a range with one that begins so many bytes later.
        location: Value of a `Location` header.
        hold: Wait for this event before the answer.
        headers: Further headers.
        drip: Send one byte at a time, so many seconds apart.
        first: Called before the answer.
    """

    status: int = 200
    limit: int | None = None
    reset: bool = False
    ranges: bool = True
    wrong: bool = False
    shift: int = 0
    location: str | None = None
    hold: threading.Event | None = None
    headers: dict[str, str] = field(default_factory=dict)
    drip: float = 0
    first: Callable[[], None] | None = None


@dataclass
class FlakyServer:
    """Content to serve, the answers to come (the last one for ever), and what was asked."""

    content: bytes = b""
    answers: list[Answer] = field(default_factory=lambda: [Answer()])
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/archive?X-Signature=s3cr3t") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def next_answer(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def flaky_server(content: bytes = b"", *answers: Answer) -> Iterator[FlakyServer]:
    """Run a server while the block lasts."""
    flaky = FlakyServer(content, list(answers) or [Answer()])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            flaky.asked.append((self.path, wanted))
            _answer(self, flaky.next_answer(), flaky.content, wanted)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that leaves early is part of the play."""

    with Server(("127.0.0.1", 0), Handler) as server:
        flaky.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield flaky
        finally:
            for answer in flaky.answers:
                if answer.hold is not None:
                    answer.hold.set()
            server.shutdown()
            thread.join()


def _wait(answer: Answer) -> None:
    if answer.hold is not None:
        answer.hold.wait(30)
    if answer.first is not None:
        answer.first()


def _answer(
    handler: BaseHTTPRequestHandler, answer: Answer, content: bytes, wanted: str | None
) -> None:
    _wait(answer)
    status, start, end = answer.status, 0, len(content)
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
    if match and answer.ranges and status == 200:
        status, start = 206, int(match.group(1)) + answer.shift
        end = int(match.group(2)) + 1 if match.group(2) else end
    body = content[start:end] if status in (200, 206) else f"status {status}".encode()
    if answer.wrong:
        body = bytes(byte ^ 1 for byte in body)
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    if status == 206:
        handler.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(content)}")
    if answer.location is not None:
        handler.send_header("Location", answer.location)
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    body = body if answer.limit is None else body[: answer.limit]
    for at in range(len(body) if answer.drip else 0):
        handler.wfile.write(body[at : at + 1])
        time.sleep(answer.drip)
    handler.wfile.write(b"" if answer.drip else body)
    handler.wfile.flush()
    handler.close_connection = True
    if answer.reset:
        # Lingering for no time at all makes the close a reset.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
