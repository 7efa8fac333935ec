"""Remove releases that nobody needs any more."""

from __future__ import annotations

from .colors import colored
from .current import read_current
from .layers import remove_unused, weigh_unused
from .layout import Layout
from .processes import processes_of_releases, uses_of
from .records import complete_releases, orphans, remove_records
from .state import State
from .trash import discard, discard_rendered, empty_trash, weigh

# Why a release stays that the controller named; it knows more.
TOLD = "needed by the environment"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .parameters import Parameters
    from .processes import Uses


def prune(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Keep the releases confirmed last, and remove the others.

    Never removed: the current one, the good one and the one before it, both ends of a flip that
    is not confirmed, what a colour has, those named in `never`, and those that a running process
    still works in.
    Nothing is written before space was made, so that a full disk is no hindrance.

    Returns:
        `removed`: the versions that are gone. `kept`: why each of the others is not. `freed`:
        bytes of disk, with what was in the trash before, and layers that no release links to.
    """
    state = State.load(layout)
    uses = uses_of(layout)
    removed, kept = _choose(layout, state, parameters, uses)
    for version in removed:
        discard(layout, version)
    for version in orphans(layout):
        discard_rendered(layout, version)
        remove_records(layout, version)
    freed = empty_trash(layout, uses) + remove_unused(layout, uses)
    confirmed = [version for version in state.confirmed if version in kept]
    if confirmed != state.confirmed:
        state.confirmed = confirmed
        state.save(layout)
    return {"removed": removed, "kept": kept, "freed": freed}


def prunable(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Return what `prune` would, having changed nothing."""
    removed, kept = _choose(layout, State.load(layout), parameters, uses_of(layout))
    freed = sum(weigh(layout.release(version)) for version in removed)
    freed += weigh_unused(layout, removed)
    return {"removed": removed, "kept": kept, "freed": freed}


def _choose(
    layout: Layout, state: State, parameters: Parameters, uses: Uses
) -> tuple[list[str], dict[str, str]]:
    """Return the versions to remove, and of each that stays the reason."""
    keep, never = parameters.whole("keep"), parameters.texts("never")
    here = complete_releases(layout)
    confirmed = [version for version in state.confirmed if version in here]
    newest = confirmed[max(len(confirmed) - keep, 0) :]
    intent = state.intent or {"from": None, "to": None}
    reasons: list[tuple[str, Iterable[str | None]]] = [
        ("current", [read_current(layout)]),
        ("the last good one", [state.good]),
        ("the good one before", [state.previous]),
        ("a flip that is not confirmed", [intent["from"], intent["to"]]),
        ("what blue or green has", colored(layout, state)),
        (TOLD, never),
        ("one of the newest good ones", newest),
    ]
    kept: dict[str, str] = {}
    for reason, versions in reasons:
        for version in versions:
            if version is not None and version in here:
                kept.setdefault(version, reason)
    # Last, and only where it matters: to look at all processes takes longer than all else here.
    if len(kept) < len(here):
        for version in processes_of_releases(layout, uses):
            if version in here:
                kept.setdefault(version, "in use by a process")
    return [version for version in here if version not in kept], kept
