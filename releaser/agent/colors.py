"""Two instances of an app on one host, blue and green: which serves, and which may be started anew.

`ROOT/blue` and `ROOT/green` are links to releases, beside `current`. The colour that serves is the
one that the good version was confirmed in; the other one is idle. That stands in the state, so that
a crash, a resume or an abort finds the same answer as the run before it.
"""

from __future__ import annotations

import os

from .current import read_current, read_link
from .durable import replace_link, sync_folder
from .errors import AgentError
from .layout import COLORS, Layout
from .records import is_complete, not_here
from .state import State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


def take_color(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Point the idle colour at a version; its instance counts as not started from then on.

    Where the colour has that version already, and its instance was found healthy, nothing is
    changed: whoever asks decides whether that is good enough.

    Returns:
        `color`: the idle one; `live`: the one that serves, or None; `ready`: whether an instance
        of this version was found healthy there; `release`: the run that found it so, or None.

    Raises:
        AgentError: `missing`: the release is not complete here. `invalid`: something that Castoff
            did not make stands where the colour's link should.
    """
    version = parameters.version("version")
    if not is_complete(layout, version):
        raise not_here(version)
    state = State.load(layout)
    color = _idle(layout, state, parameters.text("release"))
    before = state.colors.get(color)
    linked = read_link(layout, layout.color(color))
    ready = before is not None and before["version"] == version == linked and before["ready"]
    if not ready:
        state.colors[color] = {"version": version, "release": None, "ready": False}
        state.save(layout)
        _point(layout, color, version)
    found_by = before["release"] if ready and before is not None else None
    return {"color": color, "live": state.color, "ready": bool(ready), "release": found_by}


def note_ready(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Note that the instance of a colour was found healthy, or is about to be started anew.

    Raises:
        AgentError: `invalid`: that colour has another version.
    """
    color, version = parameters.choice("color", COLORS), parameters.version("version")
    state = State.load(layout)
    entry = state.colors.get(color)
    if entry is None or entry["version"] != version:
        has = "nothing" if entry is None else entry["version"]
        raise AgentError("invalid", f"{color} has {has} on this host, not {version}")
    ready = parameters.flag("ready")
    state.colors[color] = {
        "version": version,
        "release": parameters.text("release") if ready else None,
        "ready": ready,
    }
    state.save(layout)
    return {}


def colored(layout: Layout, state: State) -> set[str]:
    """Return the versions that a colour has, which are never removed."""
    linked = (read_link(layout, layout.color(color)) for color in state.colors)
    noted = (str(entry["version"]) for entry in state.colors.values())
    return {version for version in (*linked, *noted) if version is not None}


def drop_colors(layout: Layout, state: State) -> None:
    """Forget the colours of a host that is released to in another way now."""
    for color in state.colors:
        if read_link(layout, layout.color(color)) is not None:
            os.unlink(layout.color(color))
    sync_folder(layout.root)
    state.colors = {}


def _idle(layout: Layout, state: State, release: str) -> str:
    """Return the colour that does not serve."""
    if state.color is not None:
        return _other(state.color)
    begun = state.intent
    color = None if begun is None else begun.get("color")
    if begun is None or color is None:
        return COLORS[0]
    # Nothing was ever confirmed in a colour, and a flip to this one was begun by an earlier run.
    flipped = read_current(layout) == begun["to"] and begun["release"] != release
    return _other(color) if flipped else color


def _other(color: str) -> str:
    return COLORS[1] if color == COLORS[0] else COLORS[0]


def require_color(layout: Layout, state: State, color: str, version: str | None) -> None:
    """Make sure that a colour has a version; a link that somebody took away is made again.

    Raises:
        AgentError: `invalid`: it has another one.
    """
    entry = state.colors.get(color)
    if version is None or entry is None or entry["version"] != version:
        raise AgentError("invalid", f"{color} does not have {version} on this host")
    if read_link(layout, layout.color(color)) != version:
        _point(layout, color, version)


def _point(layout: Layout, color: str, version: str) -> None:
    path = layout.color(color)
    replace_link(f"releases/{version}", path, layout.staging)
    sync_folder(layout.root)
    if read_link(layout, path) != version:
        raise AgentError("internal", f"{path} was changed by somebody else")
