"""Which version was good before which, read from an environment's history; no I/O."""

from __future__ import annotations

from collections.abc import Iterable

from castoff.store.history import Entry


def good_versions(entries: Iterable[Entry]) -> list[str]:
    """Return the versions one can go back to, oldest first, the one that is live last.

    A release puts its version on top; a rollback takes off what lay above the version that it
    went to. So a rollback after a rollback goes further back, never forward again to the version
    that was just left for its faults.

    Args:
        entries: The history, oldest first.
    """
    stack: list[str] = []
    for entry in entries:
        # What some hosts alone were given is nothing that the environment can go back to, and
        # converging gives it nothing new.
        if entry.outcome != "released" or entry.only or entry.kind == "converge":
            continue
        if entry.kind == "rollback" and entry.version in stack:
            while stack[-1] != entry.version:
                stack.pop()
        elif not stack or stack[-1] != entry.version:
            stack.append(entry.version)
    return stack


def before(stack: list[str], current: str | None) -> str | None:
    """Return the good version below `current`, or the newest if `current` is not among them."""
    below = stack[:-1] if stack and stack[-1] == current else stack
    return next((version for version in reversed(below) if version != current), None)
