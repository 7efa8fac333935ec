"""The endpoint at which siblings fetch: HTTP/1.1, GET of one range, by proof, for a short time.

An answer holds whole members from the beginning of what was asked for, as many as are here (RFC
9110, section 15.3.7, allows for less than was asked). 404 says that the first one will not come,
and where the next one lies; 503 that it is on its way, 425 that nothing is known yet.
"""

from __future__ import annotations

import os
import re
import socket
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .arrivals import Absent, NotYet
from .errors import AgentError
from .peer_token import proves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .offer import Offer

ARCHIVE, TABLE = "archive", "table"
NEXT = "Castoff-Next"
SCHEME = "Castoff "
# Seconds that a question waits for a member before it is answered that there is none yet.
_WAIT = 5
# Seconds for each wait on a sibling.
_PATIENCE = 30
_BLOCK = 64 * 1024
# Siblings that are answered at once; the next ones are turned away.
_MOST = 128
_RANGE = re.compile(r"bytes=([0-9]{1,18})-([0-9]{1,18})")


def of_patch(sha256: str) -> str:
    """Return the name that a patch is asked for by: not all siblings need the same one."""
    return f"patch-{sha256}"


class PeerServer:
    """Answers siblings, in threads, until it is ended or its time is up.

    Attributes:
        port: Where it listens.
        on_loopback: Whether only this host itself reaches it there.
    """

    def __init__(
        self, offers: dict[str, Offer], key: bytes, address: str, port: int, seconds: float
    ) -> None:
        """Begin to listen.

        Args:
            offers: What there is, each by the name that it is asked for by.
            key: What siblings must have.
            address: An IP address of this host.
            port: TCP port, 0 for any.
            seconds: After which it ends by itself.

        Raises:
            AgentError: `peer`: there is no listening there.
        """
        try:
            self._server = _Server(offers, key, address, port)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise AgentError("peer", f"cannot listen at {address}: {reason}") from error
        place, self.port = self._server.server_address[:2]
        self.on_loopback = str(place).startswith("127.") or place == "::1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True
        )
        self._timer = threading.Timer(seconds, self._close)
        self._timer.daemon = True
        self._thread.start()
        self._timer.start()

    def end(self) -> None:
        """Listen no longer, and let go of everybody."""
        self._timer.cancel()
        self._close()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Nobody is waited for at the end.
    block_on_close = False
    request_queue_size = 128

    def __init__(self, offers: dict[str, Offer], key: bytes, address: str, port: int) -> None:
        self.offers = offers
        self.key = key
        self._free = threading.BoundedSemaphore(_MOST)
        if ":" in address:
            self.address_family = socket.AF_INET6
        super().__init__((address, port), _Handler)

    def server_bind(self) -> None:
        # Without the look-up of a name, which may take long and which nothing needs.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, *_: object) -> None:
        """A sibling that leaves early is nothing to complain of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _PATIENCE
    server: _Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        shown = self.headers.get("Authorization", "")
        if not shown.startswith(SCHEME) or not proves(
            self.server.key, shown[len(SCHEME) :], self.path, wanted
        ):
            self._refuse(403)
            return
        match = _RANGE.fullmatch(wanted)
        offer = self.server.offers.get(self.path[1:])
        if match is None or offer is None:
            self._refuse(416)
            return
        start, end = int(match[1]), int(match[2]) + 1
        try:
            end = offer.span(start, end, _WAIT)
            descriptor = offer.descriptor()
        except NotYet as error:
            self._refuse(503 if error.begun else 425)
        except Absent as error:
            self._refuse(404, error.following)
        else:
            try:
                self._give(descriptor, start, end)
            finally:
                os.close(descriptor)

    def _give(self, descriptor: int, start: int, end: int) -> None:
        self.send_response(206)
        self.send_header("Content-Length", str(end - start))
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/*")
        self.end_headers()
        while start < end:
            block = os.pread(descriptor, min(_BLOCK, end - start), start)
            if not block:
                self.close_connection = True
                return
            self.wfile.write(block)
            start += len(block)

    def _refuse(self, status: int, following: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if following is not None:
            self.send_header(NEXT, str(following))
        self.end_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no question for this endpoint, without a page about it."""
        del message, explain
        self.close_connection = True
        self._refuse(code)

    def log_message(self, *_: object) -> None:
        """Say nothing: standard error is not for siblings."""

    def version_string(self) -> str:
        """Do not tell strangers what answers them."""
        return "-"
