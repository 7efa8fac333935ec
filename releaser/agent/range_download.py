"""Parts of what a URL names, over connections that are kept open, taken up where they broke off.

Range requests are those of RFC 9110, section 14; one range a request, as S3 answers no others.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import urllib.parse
import urllib.request
from contextlib import suppress

from .crew import Crew
from .errors import AgentError
from .flow import PATIENCE, Interrupted
from .ranges import GAP, NoRanges
from .transfer import (
    check_start,
    not_reached,
    patiently,
    reason_of,
    refused,
    renewing,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .flow import Flow

_SCHEMES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


def download_ranges(url: str, flow: Flow, gap: int = GAP) -> None:
    """Take in the members that are left.

    Args:
        url: Where they are.
        flow: Where they go.
        gap: Bytes between two members that are fetched with them rather than left out.

    Raises:
        NoRanges: The server answers with the whole, or the way to it leads through a proxy or a
            redirection, which the download of the whole copes with.
        AgentError: `fetch`: refused, or interrupted again and again. `corrupt`: it is something
            else. `no-space`, `permission`: it cannot be written.
        Gone: The controller left meanwhile.
    """

    def take(address: str) -> None:
        with Crew(flow, gap, lambda: Asker(address)) as crew:
            patiently(flow, crew.go_on)

    renewing(flow, url, take)


class Asker:
    """One connection to the server of a URL, opened when it is needed."""

    def __init__(self, url: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            kind, host, port = _SCHEMES.get(parts.scheme), parts.hostname, parts.port
        except ValueError:
            kind = host = None
        if kind is None or not host:
            raise AgentError("fetch", "has a URL that cannot be used")
        if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
            raise NoRanges
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection = kind(host, port, timeout=PATIENCE)

    def ask(self, start: int, end: int) -> http.client.HTTPResponse:
        """Ask for bytes and return the answer, which holds just those from `start` on."""
        headers = {
            "User-Agent": "castoff",
            "Accept-Encoding": "identity",
            "Range": f"bytes={start}-{end - 1}",
        }
        self._connect()
        try:
            self._connection.request("GET", self._target, headers=headers)
            response: http.client.HTTPResponse = self._connection.getresponse()
        except (http.client.HTTPException, ssl.SSLError) as error:
            raise Interrupted(f"broke off ({type(error).__name__})") from None
        except OSError as error:
            raise Interrupted(f"broke off: {reason_of(error)}") from None
        try:
            _judge(response, start)
        except BaseException:
            response.close()
            raise
        return response

    def _connect(self) -> None:
        if self._connection.sock is not None:
            return
        try:
            self._connection.connect()
        except ssl.SSLError as error:
            raise Interrupted(f"broke off ({type(error).__name__})") from None
        except OSError as error:
            raise not_reached(error) from None

    def read(self, response: http.client.HTTPResponse, most: int) -> bytes:
        """Return the next bytes of an answer, at least one."""
        try:
            block = response.read1(most)
        except http.client.HTTPException as error:
            raise Interrupted(f"broke off ({type(error).__name__})") from None
        except OSError as error:
            raise Interrupted(f"broke off: {reason_of(error)}") from None
        if not block:
            raise Interrupted("broke off")
        return block

    def finish(self, response: http.client.HTTPResponse) -> None:
        """Leave the connection ready for the next request, if all of the answer was read."""
        # Before Python 3.13 an answer is not closed when the last of it is read, but knows it.
        if response.length != 0 and not response.isclosed():
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def hang_up(self) -> None:
        """Wake whoever waits for bytes of the connection: no more will come; from any thread."""
        line = self._connection.sock
        if line is not None:
            with suppress(OSError):
                # Not by way of TLS, which another thread is in the middle of.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


def _judge(response: http.client.HTTPResponse, start: int) -> None:
    """Return if the part that was asked for comes; else raise what that means."""
    if response.status in (http.client.OK, *range(300, 400)):
        raise NoRanges
    if response.status != http.client.PARTIAL_CONTENT:
        raise refused(response.status, response.headers)
    check_start(response, start)
