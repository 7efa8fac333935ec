"""What every transfer over HTTP does alike: try again with patience, and judge what comes.

A URL may carry a signature: no message holds more of it than the host.
"""

from __future__ import annotations

import http.client
import re

from .errors import AgentError, from_os_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .messages import Channel

BLOCK = 256 * 1024
# Seconds for each wait on the network, not for the whole.
PATIENCE = 15
# Failures in a row, each without a worthwhile gain; then the next source is tried.
_MOST_FAILURES = 4
_WORTHWHILE = 64 * 1024
_FIRST_PAUSE = 0.25
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_RANGE = re.compile(r"bytes (\d+)-")


class Interrupted(Exception):
    """The transfer broke off in a way that trying again may mend."""


def patiently(channel: Channel, go_on: Callable[[], None], have: Callable[[], int]) -> None:
    """Call `go_on` until it comes to its end without being interrupted.

    Args:
        channel: Whose other end is looked for during the pauses.
        go_on: Does what is left; raises `Interrupted`.
        have: Returns how many bytes are here.

    Raises:
        AgentError: `fetch`: it was interrupted again and again, without a worthwhile gain.
        Gone: The controller left meanwhile.
    """
    failures = 0
    while True:
        before = have()
        try:
            go_on()
        except Interrupted as interruption:
            failures = 1 if have() - before >= _WORTHWHILE else failures + 1
            if failures >= _MOST_FAILURES:
                raise AgentError("fetch", str(interruption)) from None
            channel.check(_FIRST_PAUSE * 2 ** (failures - 1))
        else:
            return


def refused(status: int) -> Exception:
    """Return what an answer's status means that is no success."""
    answer = f"answers with status {status}"
    return Interrupted(answer) if status in _PASSING else AgentError("fetch", answer)


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


def keep(write: Callable[[], None]) -> None:
    """Write what has come.

    Raises:
        AgentError: `no-space`, `permission`, …: ours, not the network's: another try would not
            mend it.
    """
    try:
        write()
    except OSError as error:
        raise from_os_error(error) from error


def reason_of(reason: object) -> str:
    """Return the operating system's words for a failure, which never hold the URL."""
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    if isinstance(reason, TimeoutError) or type(reason).__name__ == "timeout":
        return f"no answer in {PATIENCE} s"
    return type(reason).__name__
