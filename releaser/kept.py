"""What a host has to know of what releases share, or have for themselves; no I/O."""

from __future__ import annotations

from typing import Any

from castoff.config.environment_tables import Environment
from castoff.config.model import App, KeptPath, kept_paths


def shared(recipe: App) -> list[str]:
    """Return the shared paths; a slash at the end means a folder."""
    return [entry.path for entry in kept_paths(recipe.shared)]


def writable(recipe: App) -> list[str]:
    """Return the folders of a release that the app may write to."""
    return [entry.path for entry in kept_paths(recipe.writable)]


def layers(environment: Environment) -> str | None:
    """Return how releases share their dependencies, None for not at all."""
    if environment.layers == "read":
        return "read"
    return "sealed" if environment.layers else None


def rights(recipe: App) -> list[dict[str, Any]]:
    """Return of each path that says so whose it is, as agents take it."""
    entries = [(entry, False) for entry in kept_paths(recipe.shared)]
    entries += [(entry, True) for entry in kept_paths(recipe.writable)]
    return [
        _right(entry, own) for entry, own in entries if entry.mode or entry.owner or entry.group
    ]


def _right(entry: KeptPath, own: bool) -> dict[str, Any]:
    return {
        "path": entry.path.rstrip("/"),
        "writable": own,
        "folder": own or entry.path.endswith("/"),
        "mode": entry.mode,
        "owner": entry.owner,
        "group": entry.group,
    }
