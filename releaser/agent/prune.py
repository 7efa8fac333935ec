"""Remove releases that nobody needs any more."""

from __future__ import annotations

from .current import read_current
from .layout import Layout
from .processes import processes_in
from .records import complete_releases, orphans, remove_records
from .state import State
from .trash import discard, empty_trash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


def prune(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Keep the releases confirmed last, and remove the others.

    Never removed: the current one, the good one and the one before it, both ends of a flip that
    is not confirmed, those named in `never`, and those that a running process still works in.

    Returns:
        `removed`: the versions that are gone.
    """
    keep, never = parameters.whole("keep"), parameters.texts("never")
    state = State.load(layout)
    needed = {read_current(layout), state.good, state.previous, *never}
    if state.intent is not None:
        needed.update((state.intent["from"], state.intent["to"]))
    here = complete_releases(layout)
    confirmed = [version for version in state.confirmed if version in here]
    needed.update(confirmed[max(len(confirmed) - keep, 0) :])
    needed.update(processes_in(layout.releases))
    removed = [version for version in here if version not in needed]
    for version in removed:
        discard(layout, version)
    for version in orphans(layout):
        remove_records(layout, version)
    state.confirmed = [version for version in confirmed if version not in removed]
    if removed:
        state.save(layout)
    empty_trash(layout)
    return {"removed": removed}
