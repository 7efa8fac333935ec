"""Download over HTTP and HTTPS, taken up again where it was interrupted.

A URL may carry a signature: no message of this module holds more of it than the host.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from functools import partial

from .errors import AgentError
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
    from collections.abc import Callable

    from .messages import Channel
    from .spool import Spool


def download(url: str, channel: Channel, spool: Spool, report: Callable[[int], None]) -> None:
    """Add what the spool still lacks.

    Raises:
        AgentError: `fetch`: refused, or interrupted again and again.
        Gone: The controller left meanwhile.
    """
    opener = _opener()
    patiently(channel, lambda: _transfer(opener, url, channel, spool, report), lambda: spool.have)


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
                keep(partial(spool.write, block))
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
        raise refused(error.code) from None
    except urllib.error.URLError as error:
        raise not_reached(error.reason) from None
    except (ValueError, http.client.InvalidURL):
        raise AgentError("fetch", "has a URL that cannot be used") from None
    if response is None:
        raise AgentError("fetch", "has a URL that is neither http nor https")
    return response


def _continues(response: http.client.HTTPResponse, have: int) -> bool:
    """Whether the body goes on at byte `have`; if not, it begins at the archive's first."""
    if response.status != http.client.PARTIAL_CONTENT:
        return False
    check_start(response, have)
    return True


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
