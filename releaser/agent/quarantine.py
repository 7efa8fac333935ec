"""Note on the host that releases go on without it, so that it is known here as well."""

from __future__ import annotations

import time

from .layout import Layout
from .state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


def quarantine(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Mark the host until a version is confirmed on it; what it serves is not touched.

    Raises:
        AgentError: `corrupt`: the host's state is not what Castoff writes.
    """
    release, why = parameters.text("release"), parameters.text("why")
    state = State.load(layout)
    since = time.time() if state.quarantine is None else state.quarantine["since"]
    state.quarantine = {"release": release, "since": since, "why": why}
    state.save(layout)
    return {}
