"""Parts of what a URL names, over one connection that is kept open, taken up where it broke off.

Range requests are those of RFC 9110, section 14; one range a request, as S3 answers no others.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
import urllib.request
from functools import partial

from .errors import AgentError
from .ranges import NoRanges, Range
from .transfer import (
    BLOCK,
    PATIENCE,
    Interrupted,
    check_start,
    keep,
    not_reached,
    patiently,
    reason_of,
    refused,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .messages import Channel
    from .partial import Gaps

_SCHEMES = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}


def download_ranges(url: str, channel: Channel, ranges: list[Range], gaps: Gaps) -> None:
    """Write each range at its place.

    Raises:
        NoRanges: The server answers with the whole, or the way to it leads through a proxy or a
            redirection, which the download of the whole copes with.
        AgentError: `fetch`: refused, or interrupted again and again.
        Gone: The controller left meanwhile.
    """
    asker = _Asker(url)
    try:
        for wanted in ranges:
            one = _Fetching(asker, channel, wanted, gaps)
            patiently(channel, one.go_on, lambda: gaps.fetched)
    finally:
        asker.close()


class _Fetching:
    """One range on its way; what has come of it is not asked for again."""

    def __init__(self, asker: _Asker, channel: Channel, wanted: Range, gaps: Gaps) -> None:
        self._asker = asker
        self._channel = channel
        self._at, self._end = wanted
        self._gaps = gaps

    def go_on(self) -> None:
        """Fetch what is left.

        Raises:
            Interrupted: It broke off; the connection is closed.
        """
        try:
            if self._at < self._end:
                self._read(self._asker.ask(self._at, self._end))
        except Interrupted:
            self._asker.close()
            raise

    def _read(self, response: http.client.HTTPResponse) -> None:
        while self._at < self._end:
            self._channel.check()
            block = self._asker.read(response, min(BLOCK, self._end - self._at))
            keep(partial(self._gaps.write, self._at, block))
            self._at += len(block)
        self._asker.finish(response)


class _Asker:
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
        try:
            self._connection.request("GET", self._target, headers=headers)
            response: http.client.HTTPResponse = self._connection.getresponse()
        except (http.client.HTTPException, ssl.SSLError) as error:
            raise Interrupted(f"broke off ({type(error).__name__})") from None
        except OSError as error:
            raise not_reached(error) from None
        if response.status == http.client.PARTIAL_CONTENT:
            check_start(response, start)
            return response
        if response.status in (http.client.OK, *range(300, 400)):
            raise NoRanges
        raise refused(response.status)

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
        if not response.isclosed():
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()
