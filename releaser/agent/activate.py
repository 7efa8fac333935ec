"""Flip `current`, and remember the flip until it is confirmed or taken back."""

from __future__ import annotations

import time

from .current import point_current, read_current
from .errors import AgentError
from .layout import COLORS, Layout
from .records import is_complete, not_here
from .state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


def activate(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Point `current` at a version, or take it away; `color` is the one that it serves from.

    The intent is on the disk before the flip. Flipping back to where the same release came from,
    or to nothing where nothing was ever good, takes the intent away, after the flip: even with a
    full disk the way back is one rename.

    Raises:
        AgentError: `missing`: the release is not complete here. `invalid`: `current` is not
            Castoff's, or the colour has another version.
    """
    started = time.monotonic()
    version, release = parameters.version_or_none("version"), parameters.text("release")
    color = parameters.choice_or_none("color", COLORS)
    if version is not None and not is_complete(layout, version):
        raise not_here(version)
    state = State.load(layout)
    if color is not None:
        from .colors import require_color

        require_color(layout, state, color, version)
    before = read_current(layout)
    begun = state.intent
    back = (version is None and state.good is None) or (
        begun is not None
        and begun["release"] == release
        and begun["from"] == version
        and state.color == color
    )
    if not back:
        state.intent = {"release": release, "from": before, "to": version}
        if color is not None:
            state.intent["color"] = color
        state.save(layout)
    flipped = point_current(layout, version)
    if back and begun is not None:
        state.intent = None
        state.save(layout)
    return {"from": before, "at": flipped, "seconds": time.monotonic() - started}


def confirm(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Call the version that is served good.

    Raises:
        AgentError: `invalid`: the host serves another one.
    """
    version = parameters.version("version")
    served = read_current(layout)
    if served != version:
        raise AgentError(
            "invalid", f"this host serves {served or 'nothing'}, so {version} cannot be confirmed"
        )
    state = State.load(layout)
    state.confirm(version)
    if state.color is None and state.colors:
        from .colors import drop_colors

        drop_colors(layout, state)
    state.save(layout)
    return {}
