"""A health check over HTTP, made on the host itself."""

from __future__ import annotations

import http.client
import time
import urllib.parse

from .errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .messages import Channel
    from .parameters import Parameters

# Seconds for one wait within a try, and for a whole try.
_PATIENCE = 5.0
_MOST_BODY = 1024 * 1024
_BLOCK = 65_536
_SILENCE = "no answer in time"


def check_health(channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Ask again and again until the answers are right often enough in a row.

    Redirects are not followed: a status of 302 is healthy only if 302 is what is wanted. No
    proxy is used.

    Raises:
        AgentError: `unhealthy`, with what was seen last. `invalid`: the URL cannot be used.
        Gone: The controller left.
    """
    url = _checked(parameters.text("url"))
    wanted, contains = parameters.whole("status"), parameters.text_or_none("contains")
    successes, interval = parameters.whole("successes"), parameters.seconds("interval")
    limit = parameters.seconds("timeout")
    started = time.monotonic()
    deadline = started + limit
    tries = in_a_row = 0
    last = ""
    while True:
        channel.check()
        tries += 1
        seen = _try(url, wanted, contains, deadline)
        in_a_row = in_a_row + 1 if seen is None else 0
        if in_a_row >= successes:
            return {"seconds": time.monotonic() - started, "tries": tries}
        # A last try that the limit cuts short says less than the one before it.
        if not last or seen != _SILENCE or time.monotonic() < deadline:
            last = seen or f"{in_a_row} of {successes} good answers in a row"
        if time.monotonic() + interval >= deadline:
            raise AgentError(
                "unhealthy",
                f"{url.hostname}:{_port(url)}{url.path} was not healthy within {limit:g} s "
                f"({tries} tries); last: {last}",
                "See the app's own log on the host.",
            )
        channel.check(interval)


def _try(
    url: urllib.parse.SplitResult, wanted: int, contains: str | None, deadline: float
) -> str | None:
    """Return what is wrong with one answer, or None."""
    until = min(time.monotonic() + _PATIENCE, deadline)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname or "", _port(url), timeout=max(until - time.monotonic(), 0.05))
    try:
        connection.request("GET", _target(url), headers={"User-Agent": "castoff-health"})
        response = connection.getresponse()
        body = _body(response, until)
    except http.client.HTTPException as error:
        return f"not an HTTP answer ({type(error).__name__})"
    except OSError as error:
        return error.strerror or _SILENCE
    finally:
        connection.close()
    if response.status != wanted:
        return f"status {response.status} instead of {wanted}"
    if contains is not None and contains.encode() not in body:
        return f"status {response.status} but the body lacks {contains!r}"
    return None


def _body(response: http.client.HTTPResponse, until: float) -> bytes:
    body = b""
    while len(body) < _MOST_BODY and time.monotonic() < until:
        block = response.read1(_BLOCK)
        if not block:
            break
        body += block
    return body


def _target(url: urllib.parse.SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _port(url: urllib.parse.SplitResult) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _checked(text: str) -> urllib.parse.SplitResult:
    try:
        url = urllib.parse.urlsplit(text)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
        printable = text.isascii() and text.isprintable() and " " not in text
    except ValueError:
        usable = printable = False
    if not usable or not printable:
        raise AgentError("invalid", "a health check's URL cannot be used")
    return url
