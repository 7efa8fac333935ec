"""A health check that connects to a port."""

from __future__ import annotations

import socket
import time

from ..errors import AgentError
from ..health import until_healthy
from ..http_check import SILENCE

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
    options = parameters.part("options")
    check = TcpCheck(options)
    return until_healthy(
        channel, check.name, check.wrong, options, limit=parameters.seconds("timeout")
    )


class TcpCheck:
    """A connection, and what the other side must say first.

    Attributes:
        name: Where it goes, for people.
    """

    def __init__(self, options: Parameters) -> None:
        """Take the step's table; raises AgentError `invalid`."""
        self._host, self._port = options.text("host"), _port(options)
        self._banner = options.text_or_none("banner")
        self.name = f"{self._host}:{self._port}"

    def wrong(self, deadline: float) -> str | None:
        """Try once, until `deadline` at most; return what is wrong, or None."""
        return _try(self._host, self._port, self._banner, deadline)


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
        return SILENCE
    except OSError as error:
        return error.strerror or str(error)
    return None
