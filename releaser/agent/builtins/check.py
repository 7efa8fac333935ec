"""A health check by a command."""

from __future__ import annotations

import time

from ..command import ending
from ..health import until_healthy
from ..http_check import SILENCE
from .errand import Errand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters

# Seconds for a last try.
_LEAST = 0.05


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Run a command again and again until it succeeds often enough in a row.

    Raises:
        AgentError: `unhealthy`, with how it ended last. `invalid`: there is no such user.
        Gone: The controller left.
    """
    options = parameters.part("options")
    errand = Errand(layout, channel, parameters)
    command = options.text("command")

    def wrong(deadline: float) -> str | None:
        status = errand.attempt(command, limit=max(deadline - time.monotonic(), _LEAST))
        if status is None:
            return SILENCE
        return None if status == 0 else f"it {ending(status)}"

    return until_healthy(
        channel, f"step {errand.name!r}", wrong, options, limit=parameters.seconds("timeout")
    )
