"""Download over HTTP and HTTPS, taken up again where it was interrupted.

A URL may carry a signature: no message of this module holds more of it than the host.
"""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.parse
import urllib.request

from .errors import AgentError, from_os_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .messages import Channel
    from .spool import Spool

BLOCK = 256 * 1024
# Seconds for each wait on the network, not for the whole.
PATIENCE = 15
# Failures in a row, each without a worthwhile gain; then the next source is tried.
MOST_FAILURES = 4
WORTHWHILE = 64 * 1024
FIRST_PAUSE = 0.25
PASSING = (408, 425, 429, 500, 502, 503, 504)
RANGE = re.compile(r"bytes (\d+)-")


class Interrupted(Exception):
    """The transfer broke off in a way that trying again may mend."""


def download(url: str, channel: Channel, spool: Spool, report: Callable[[int], None]) -> None:
    """Add what the spool still lacks.

    Raises:
        AgentError: `fetch`: refused, or interrupted again and again.
        Gone: The controller left meanwhile.
    """
    opener = _opener()
    failures = 0
    while spool.left:
        before = spool.have
        try:
            _transfer(opener, url, channel, spool, report)
        except Interrupted as interruption:
            failures = 1 if spool.have - before >= WORTHWHILE else failures + 1
            if failures >= MOST_FAILURES:
                raise AgentError("fetch", str(interruption)) from None
            channel.check(FIRST_PAUSE * 2 ** (failures - 1))


def host_of(url: str) -> str:
    """Return the only part of a URL that may be told."""
    try:
        return urllib.parse.urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _transfer(
    opener: urllib.request.OpenerDirector,
    url: str,
    channel: Channel,
    spool: Spool,
    report: Callable[[int], None],
) -> None:
    """Ask once for the rest, and write what comes."""
    try:
        with _request(opener, url, spool.have) as response:
            if spool.have and not _continues(response, spool.have):
                spool.restart()
            while spool.left:
                channel.check()
                block = response.read1(min(BLOCK, spool.left))
                if not block:
                    raise Interrupted(f"broke off after {spool.have} of {spool.size} bytes")
                _write(spool, block)
                report(spool.have)
    except http.client.HTTPException as error:
        raise Interrupted(f"broke off ({type(error).__name__})") from None
    except OSError as error:
        raise Interrupted(f"broke off: {reason_of(error)}") from None


def _request(
    opener: urllib.request.OpenerDirector, url: str, have: int
) -> http.client.HTTPResponse:
    headers = {"User-Agent": "castoff", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 (see _opener)
        response: http.client.HTTPResponse = opener.open(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        error.close()
        answer = f"answers with status {error.code}"
        if error.code in PASSING:
            raise Interrupted(answer) from None
        raise AgentError("fetch", answer) from None
    except urllib.error.URLError as error:
        trouble = f"cannot be reached: {reason_of(error.reason)}"
        # A host that is shut off from the store should ask the next source soon.
        if isinstance(error.reason, ConnectionError):
            raise Interrupted(trouble) from None
        raise AgentError("fetch", trouble) from None
    except (ValueError, http.client.InvalidURL):
        raise AgentError("fetch", "has a URL that cannot be used") from None
    if response is None:
        raise AgentError("fetch", "has a URL that is neither http nor https")
    return response


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    """Whether the body goes on at byte `have`; if not, it begins at the archive's first."""
    if response.status != http.client.PARTIAL_CONTENT:
        return False
    match = RANGE.match(response.headers.get("Content-Range", ""))
    if match is None or int(match.group(1)) != have:
        raise AgentError("fetch", "answers with another range than the one asked for")
    return True


def _write(spool: Spool, block: bytes) -> None:
    try:
        spool.write(block)
    except OSError as error:
        # Ours, not the network's: another try would not mend it.
        raise from_os_error(error) from error


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https alone, through the host's proxies if it has any."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def reason_of(reason: object) -> str:
    """Return the operating system's words for a failure, which never hold the URL."""
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    if isinstance(reason, TimeoutError) or type(reason).__name__ == "timeout":
        return f"no answer in {PATIENCE} s"
    return type(reason).__name__
