"""Run one step of a release: a shell command in the release's directory."""

from __future__ import annotations

import time

from .command import clean_environment, ending, run_command
from .errors import AgentError
from .layout import Layout
from .records import is_complete, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .messages import Channel
    from .parameters import Parameters


def run(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Run a step's command to its end or its time limit, passing its output on while it runs.

    Raises:
        AgentError: `step-failed`, `step-timeout`, `missing`, `invalid`.
    """
    version, name = parameters.version("version"), parameters.text("name")
    command, limit = parameters.text("command"), parameters.seconds("timeout")
    given, user = parameters.variables("env"), parameters.text_or_none("user")
    if not is_complete(layout, version):
        raise not_here(version)
    started = time.monotonic()
    status = run_command(
        channel,
        command,
        folder=layout.release(version),
        environment=clean_environment(layout, version, given),
        limit=limit,
        user=user,
    )
    if status is None:
        raise AgentError(
            "step-timeout",
            f"step {name!r} did not end within {limit:g} s and was told to stop",
            "Raise its `timeout`, or see in its output what it waited for.",
        )
    if status != 0:
        raise AgentError("step-failed", f"step {name!r} {ending(status)}")
    return {"seconds": time.monotonic() - started, "status": 0}
