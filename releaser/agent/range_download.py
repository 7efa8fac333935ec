"""Parts of what a URL names, over one connection that is kept open, taken up where it broke off.

Range requests are those of RFC 9110, section 14; one range a request, as S3 answers no others.
"""

from __future__ import annotations

import http.client
import ssl
import urllib.parse
import urllib.request

from .download import (
    BLOCK,
    FIRST_PAUSE,
    MOST_FAILURES,
    PASSING,
    PATIENCE,
    RANGE,
    WORTHWHILE,
    Interrupted,
    reason_of,
)
from .errors import AgentError, from_os_error
from .ranges import NoRanges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .messages import Channel
    from .partial import Gaps
    from .ranges import Range

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
        for start, end in ranges:
            _one(asker, channel, start, end, gaps)
    finally:
        asker.close()


def _one(asker: _Asker, channel: Channel, start: int, end: int, gaps: Gaps) -> None:
    failures = 0
    while start < end:
        before = start
        try:
            response = asker.ask(start, end)
            while start < end:
                channel.check()
                block = asker.read(response, min(BLOCK, end - start))
                _write(gaps, start, block)
                start += len(block)
            asker.finish(response)
        except Interrupted as interruption:
            asker.close()
            failures = 1 if start - before >= WORTHWHILE else failures + 1
            if failures >= MOST_FAILURES:
                raise AgentError("fetch", str(interruption)) from None
            channel.check(FIRST_PAUSE * 2 ** (failures - 1))


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
            raise self._not_reached(error) from None
        if response.status == http.client.PARTIAL_CONTENT:
            match = RANGE.match(response.headers.get("Content-Range", ""))
            if match is None or int(match.group(1)) != start:
                raise AgentError("fetch", "answers with another range than the one asked for")
            return response
        if response.status in PASSING:
            raise Interrupted(f"answers with status {response.status}")
        if response.status in (http.client.OK, *range(300, 400)):
            raise NoRanges
        raise AgentError("fetch", f"answers with status {response.status}")

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
        """Leave the connection ready for the next request, if the answer held what it should."""
        if not response.isclosed() and response.read1(1):
            self.close()

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()

    def _not_reached(self, error: OSError) -> Exception:
        trouble = f"cannot be reached: {reason_of(error)}"
        # A host that is shut off from the store should ask the next source soon.
        if isinstance(error, ConnectionError):
            return Interrupted(trouble)
        return AgentError("fetch", trouble)


def _write(gaps: Gaps, position: int, block: bytes) -> None:
    try:
        gaps.write(position, block)
    except OSError as error:
        # Ours, not the network's: another try would not mend it.
        raise from_os_error(error) from error
