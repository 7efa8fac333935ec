"""What every transfer over HTTP does alike: try again with patience, and judge what comes.

A URL may carry a signature: no message holds more of it than the host.
"""

from __future__ import annotations

import http.client
import re

from .errors import AgentError
from .flow import PATIENCE, Flow, Interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from .messages import Channel

# Failures in a row, each without a worthwhile gain; then the next source is tried.
_MOST_FAILURES = 4
_WORTHWHILE = 64 * 1024
# Seconds.
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30
_PASSING = (408, 425, 429, 500, 502, 503, 504)
# What stores and CDNs answer to a signature that has expired.
_EXPIRED = (400, 401, 403)
_RANGE = re.compile(r"bytes (\d+)-")
_SECONDS = re.compile(r"[0-9]{1,9}")


class Forbidden(AgentError):
    """The server refuses a URL in a way in which it refuses one that has expired."""


def patiently(flow: Flow, go_on: Callable[[], None]) -> None:
    """Call `go_on` until it comes to its end without being interrupted.

    Args:
        flow: What comes, and over which channel the controller is looked for during the pauses.
        go_on: Does what is left; raises `Interrupted`.

    Raises:
        AgentError: `fetch`: it was interrupted again and again, without a worthwhile gain, or
            the server asks for more patience than there is.
        Gone: The controller left meanwhile.
    """
    failures = 0
    while True:
        before = flow.arrivals.fetched
        try:
            go_on()
        except Interrupted as interruption:
            failures = 1 if flow.arrivals.fetched - before >= _WORTHWHILE else failures + 1
            if failures >= _MOST_FAILURES or interruption.pause > _LONGEST_PAUSE:
                raise AgentError("fetch", str(interruption)) from None
            flow.channel.check(max(_FIRST_PAUSE * 2 ** (failures - 1), interruption.pause))
        else:
            return


def renewing(flow: Flow, url: str, take: Callable[[str], None]) -> None:
    """Call `take` with a URL, and with another one whenever that has expired.

    The controller is asked for the other one. It is asked twice in a row only if anything came
    meanwhile: a server that refuses the host will refuse it by any URL.

    Raises:
        AgentError: As `take` does.
        Gone: The controller left meanwhile.
    """
    renewed = False
    while True:
        before = flow.arrivals.fetched
        try:
            take(url)
        except Forbidden:
            useless = renewed and flow.arrivals.fetched == before
            other = None if useless else _other_url(flow.channel)
            if other is None or other == url:
                raise
            url, renewed = other, True
        else:
            return


def _other_url(channel: Channel) -> str | None:
    try:
        return channel.other_url()
    except ValueError as error:
        raise AgentError("invalid", "the controller sent something that is no URL") from error


def refused(status: int, headers: Message) -> Exception:
    """Return what an answer's status means that is no success."""
    answer = f"answers with status {status}"
    if status in _EXPIRED:
        return Forbidden("fetch", answer)
    if status not in _PASSING:
        return AgentError("fetch", answer)
    asked = headers.get("Retry-After", "").strip()
    return Interrupted(answer, int(asked) if _SECONDS.fullmatch(asked) else 0)


def not_reached(reason: object) -> Exception:
    """Return what it means that a server cannot be reached."""
    trouble = f"cannot be reached: {reason_of(reason)}"
    # A host that is shut off from the store should ask the next source soon.
    return (
        Interrupted(trouble)
        if isinstance(reason, ConnectionError)
        else AgentError("fetch", trouble)
    )


def check_start(response: http.client.HTTPResponse, start: int) -> None:
    """Return if the part that came is the one that was asked for.

    Raises:
        AgentError: `fetch`: it begins elsewhere.
    """
    match = _RANGE.match(response.headers.get("Content-Range", ""))
    if match is None or int(match.group(1)) != start:
        raise AgentError("fetch", "answers with another range than the one asked for")


def reason_of(reason: object) -> str:
    """Return the operating system's words for a failure, which never hold the URL."""
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    if isinstance(reason, TimeoutError) or type(reason).__name__ == "timeout":
        return f"no answer in {PATIENCE} s"
    return type(reason).__name__
