"""What every transfer over HTTP does alike: try again with patience, and judge what comes.

A URL may carry a signature: no message holds more of it than the host.
"""

from __future__ import annotations

import http.client
import re
import time

from .errors import AgentError, from_os_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from .arrivals import Arrivals
    from .messages import Channel

BLOCK = 256 * 1024
# Seconds for each wait on the network, not for the whole.
PATIENCE = 15
# Fewer bytes than this in that time are as good as none: a server that drips is not waited for.
_FEWEST = 4 * 1024
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


class Interrupted(Exception):
    """The transfer broke off in a way that trying again may mend.

    Attributes:
        pause: Seconds that the server asks to wait for; 0 if it says nothing.
    """

    def __init__(self, message: str, pause: int = 0) -> None:
        super().__init__(message)
        self.pause = pause


class Forbidden(AgentError):
    """The server refuses a URL in a way in which it refuses one that has expired."""


def patiently(channel: Channel, go_on: Callable[[], None], have: Callable[[], int]) -> None:
    """Call `go_on` until it comes to its end without being interrupted.

    Args:
        channel: Whose other end is looked for during the pauses.
        go_on: Does what is left; raises `Interrupted`.
        have: Returns how many bytes have come.

    Raises:
        AgentError: `fetch`: it was interrupted again and again, without a worthwhile gain, or
            the server asks for more patience than there is.
        Gone: The controller left meanwhile.
    """
    failures = 0
    while True:
        before = have()
        try:
            go_on()
        except Interrupted as interruption:
            failures = 1 if have() - before >= _WORTHWHILE else failures + 1
            if failures >= _MOST_FAILURES or interruption.pause > _LONGEST_PAUSE:
                raise AgentError("fetch", str(interruption)) from None
            channel.check(max(_FIRST_PAUSE * 2 ** (failures - 1), interruption.pause))
        else:
            return


def renewing(channel: Channel, url: str, take: Callable[[str], None], arrivals: Arrivals) -> None:
    """Call `take` with a URL, and with another one whenever that has expired.

    The controller is asked for the other one. It is asked twice in a row only if anything came
    meanwhile: a server that refuses the host will refuse it by any URL.

    Raises:
        AgentError: As `take` does.
        Gone: The controller left meanwhile.
    """
    renewed = False
    while True:
        before = arrivals.fetched
        try:
            take(url)
        except Forbidden:
            other = None if renewed and arrivals.fetched == before else _other_url(channel)
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


class Flow:
    """The bytes of one answer, between which the controller and the server are looked at."""

    def __init__(self, channel: Channel, arrivals: Arrivals) -> None:
        self._channel = channel
        self._arrivals = arrivals
        self._since = time.monotonic()
        self._few = 0

    def take(self, position: int, block: bytes) -> None:
        """Take a block that has come.

        Raises:
            Interrupted: The last ones were so few that nothing would come of waiting.
            AgentError: `corrupt`: it completes a wrong member. `no-space`, `permission`, …: ours,
                not the network's: another try would not mend it.
            Gone: The controller left.
        """
        self._channel.check()
        try:
            self._arrivals.write(position, block)
        except OSError as error:
            raise from_os_error(error) from error
        self._few += len(block)
        now = time.monotonic()
        if self._few >= _FEWEST:
            self._since, self._few = now, 0
        elif now - self._since > PATIENCE:
            raise Interrupted(f"sent fewer than {_FEWEST} bytes in {PATIENCE} s")


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
