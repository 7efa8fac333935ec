"""A gateway before a real S3 server that lacks a quality which S3 has."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.s3 import ACCESS_KEY, REGION, SECRET_KEY

_PASSED_ON = ("content-type", "content-length", "range", "x-amz-checksum-sha256")
_CONDITIONS = ("if-match", "if-none-match")


@dataclass
class Gateway:
    """How it errs, and what it has seen.

    Attributes:
        ignores: Request headers that it drops, in lower case.
        lost: How many of the next PUT requests are carried out and never answered.
        cut: How many of the next GET requests are answered with half of the object.
        requests: Methods and paths so far.
    """

    url: str
    ignores: frozenset[str]
    lost: int = 0
    cut: int = 0
    requests: list[str] = field(default_factory=list)


@contextlib.contextmanager
def gateway(upstream: str, *, ignores: frozenset[str] = frozenset()) -> Iterator[Gateway]:
    """Run a gateway before the server at `upstream`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(upstream))
    state = Gateway(f"http://127.0.0.1:{server.server_port}", ignores)
    server.gateway = state  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            state: Gateway = self.server.gateway  # type: ignore[attr-defined]
            state.requests.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            wanted = set(_PASSED_ON + _CONDITIONS) - state.ignores
            headers = {
                name: value for name, value in self.headers.items() if name.lower() in wanted
            }
            status, answer, content = _ask(upstream, self.command, self.path, headers, body)
            self.close_connection = True
            if self.command == "PUT" and state.lost:
                state.lost -= 1
                return
            self.send_response(status)
            for name, value in answer:
                if name.lower() in ("etag", "content-type", "last-modified", "content-range"):
                    self.send_header(name, value)
            length = dict(answer).get("Content-Length", "0") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command == "GET" and state.cut:
                state.cut -= 1
                content = content[: len(content) // 2]
            self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_DELETE = pass_on  # noqa: N815 (the names it is called by)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
            """Say nothing."""

    return Handler


def _ask(
    upstream: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    """Send a request that is signed anew, as its first signature covered what was dropped."""
    request = AWSRequest(method=method, url=upstream + path, headers=headers, data=body)
    S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", REGION).add_auth(request)
    connection = http.client.HTTPConnection(urlsplit(upstream).netloc, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body=body, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
