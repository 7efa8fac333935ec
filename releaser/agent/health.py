"""Health checks: ask again and again until the answers are right often enough in a row."""

from __future__ import annotations

import time

from .errors import AgentError
from .http_check import SILENCE, HttpCheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .messages import Channel
    from .parameters import Parameters


# Seconds in which an app that starts is not spoken of.
_PATIENCE = 5.0


def check_health(channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Check over HTTP; the parameters are the step's table and its time limit.

    Raises:
        AgentError: As `until_healthy`. `invalid`: the request cannot be made.
        Gone: The controller left.
    """
    check = HttpCheck(parameters)
    return until_healthy(
        channel, check.name, check.wrong, parameters, limit=parameters.seconds("timeout")
    )


def until_healthy(
    channel: Channel,
    name: str,
    wrong: Callable[[float], str | None],
    options: Parameters,
    *,
    limit: float,
) -> dict[str, Any]:
    """Try until `successes` tries in a row find nothing wrong, with pauses of `interval`.

    Args:
        channel: Asked whether the controller is still there, and told what keeps it waiting.
        name: Of what is checked, for people.
        wrong: One try, given its deadline by `time.monotonic()`; says what is wrong, or None.
        options: Has `successes` and `interval`.
        limit: Seconds for all tries.

    Raises:
        AgentError: `unhealthy`, with what was seen last.
        Gone: The controller left.
    """
    successes, interval = options.whole("successes"), options.seconds("interval")
    started = time.monotonic()
    deadline = started + limit
    tries = in_a_row = 0
    last = told = ""
    quiet_until = started + _PATIENCE
    while True:
        channel.check()
        tries += 1
        seen = wrong(deadline)
        in_a_row = in_a_row + 1 if seen is None else 0
        if in_a_row >= successes:
            return {"seconds": time.monotonic() - started, "tries": tries}
        # A last try that the limit cuts short says less than the one before it.
        if not last or seen != SILENCE or time.monotonic() < deadline:
            last = seen or f"{in_a_row} of {successes} good answers in a row"
        now = time.monotonic()
        if last != told and now >= quiet_until:
            told, quiet_until = last, now + _PATIENCE
            text = f"not healthy yet: {last}; asked for {max(deadline - now, 0):.0f} s more\n"
            channel.event("output", deadline, text=text)
        if now + interval >= deadline:
            raise AgentError(
                "unhealthy",
                f"{name} was not healthy within {limit:g} s ({tries} tries); last: {last}",
                "See the app's own log: castoff logs FILE, or castoff logs --unit UNIT.",
            )
        channel.check(interval)
