"""A health check that connects to a port."""

from __future__ import annotations

import socket
import time

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters

# Seconds for one try, and the most of what is said that is read.
_PATIENCE = 5.0
_MOST_BANNER = 4096
_MOST_PORT = 65_535


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Connect again and again until that succeeds often enough in a row.

    Raises:
        AgentError: `unhealthy`, with what was seen last. `invalid`: this is no port.
        Gone: The controller left.
    """
    del layout
    options = parameters.within("options")
    if options is None:
        raise AgentError("invalid", "a check without options")
    host, port, banner = options.text("host"), _port(options), options.text_or_none("banner")
    successes, interval = options.whole("successes"), options.seconds("interval")
    limit = parameters.seconds("timeout")
    started = time.monotonic()
    deadline = started + limit
    tries = in_a_row = 0
    while True:
        channel.check()
        tries += 1
        wrong = _try(host, port, banner, deadline)
        in_a_row = in_a_row + 1 if wrong is None else 0
        if in_a_row >= successes:
            return {"seconds": time.monotonic() - started, "tries": tries}
        if time.monotonic() + interval >= deadline:
            last = wrong or f"{in_a_row} of {successes} successes in a row"
            raise AgentError(
                "unhealthy",
                f"{host}:{port} was not healthy within {limit:g} s ({tries} tries); last: {last}",
                "See the log of what should listen there, on the host.",
            )
        channel.check(interval)


def _port(options: Parameters) -> int:
    text = str(options.get("port"))
    if not text.isdigit() or not 0 < int(text) <= _MOST_PORT:
        raise AgentError("invalid", f"not a port: {text!r}")
    return int(text)


def _try(host: str, port: int, banner: str | None, deadline: float) -> str | None:
    """Return what is wrong, or None."""
    until = min(time.monotonic() + _PATIENCE, deadline)
    said = b""
    try:
        with socket.create_connection((host, port), max(until - time.monotonic(), 0.05)) as peer:
            while banner is not None and banner.encode() not in said:
                peer.settimeout(max(until - time.monotonic(), 0.05))
                block = peer.recv(_MOST_BANNER)
                said += block
                if not block or len(said) > _MOST_BANNER:
                    return f"it says {said[:80]!r}, which lacks {banner!r}"
    except socket.timeout:
        return "no answer in time"
    except OSError as error:
        return error.strerror or str(error)
    return None
