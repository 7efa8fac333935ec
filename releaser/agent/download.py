"""Download the whole over HTTP and HTTPS, taken up again where it was interrupted.

A URL may carry a signature: no message of this module holds more of it than the host.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request

from .errors import AgentError
from .flow import PATIENCE, Interrupted
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


def download(url: str, flow: Flow, size: int) -> None:
    """Take in the first `size` bytes of what a URL names.

    Raises:
        AgentError: `fetch`: refused, or interrupted again and again. `corrupt`: it is something
            else. `no-space`, `permission`: it cannot be written.
        Gone: The controller left meanwhile.
    """
    one = _Download(flow, size)
    renewing(flow, url, lambda address: patiently(flow, lambda: one.go_on(address)))


def host_of(url: str) -> str:
    """Return the only part of a URL that may be told."""
    try:
        return urllib.parse.urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


class _Download:
    """What has come of the whole, from its first byte on."""

    def __init__(self, flow: Flow, size: int) -> None:
        self._flow = flow
        self._size = size
        self._have = 0
        self._opener = _opener()

    def go_on(self, url: str) -> None:
        """Ask once for the rest, and write what comes."""
        try:
            with _request(self._opener, url, self._have) as response:
                if self._have and not _continues(response, self._have):
                    self._have = 0
                    self._flow.arrivals.turn()
                self._read(response)
        except http.client.HTTPException as error:
            raise Interrupted(f"broke off ({type(error).__name__})") from None
        except OSError as error:
            raise Interrupted(f"broke off: {reason_of(error)}") from None

    def _read(self, response: http.client.HTTPResponse) -> None:
        self._flow.begin()
        while self._have < self._size:
            block = response.read1(self._flow.most(self._size - self._have))
            if not block:
                raise Interrupted(f"broke off after {self._have} of {self._size} bytes")
            self._flow.take(self._have, block)
            self._have += len(block)


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
        raise refused(error.code, error.headers) from None
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
