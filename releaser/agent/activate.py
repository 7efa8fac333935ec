"""Flip `current`, and remember the flip until it is confirmed or taken back."""

from __future__ import annotations

import os
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

    Right before, the version's configuration comes into use: the set that `config` names, or when
    going back the one that the version was good with.

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
    kept = os.path.isdir(layout.config)
    config = _config(state, parameters, version) if kept else None
    begun = state.intent
    back = (version is None and state.good is None) or (
        begun is not None
        and begun["release"] == release
        and begun["from"] == version
        and begun.get("from_config") == config
        and state.color == color
    )
    goal: dict[str, str | None] = {"release": release, "to": version}
    if kept:
        goal["config"] = config
    if color is not None:
        goal["color"] = color
    if not back:
        # Asked for again, a flip still comes from where it came from.
        if begun is None or not goal.items() <= begun.items():
            state.intent = {**goal, "from": before}
            if kept:
                from .rendered import in_use

                state.intent["from_config"] = in_use(layout, before)
        state.save(layout)
    notes = []
    if kept:
        from .switch import switch

        notes = switch(layout, version, config)
    flipped = point_current(layout, version)
    if back and begun is not None:
        state.intent = None
        state.save(layout)
    return {"from": before, "at": flipped, "seconds": time.monotonic() - started, "notes": notes}


def _config(state: State, parameters: Parameters, version: str | None) -> str | None:
    """Return the set of rendered files that a version is to have; a good one's own by default."""
    given = parameters.text_or_none("config")
    return state.config if given is None and version == state.good else given


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
    if os.path.isdir(layout.config):
        from .rendered import in_use

        state.config = in_use(layout, version)
    if state.color is None and state.colors:
        from .colors import drop_colors

        drop_colors(layout, state)
    state.save(layout)
    return {}
