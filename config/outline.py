"""What castoff.toml names: its apps, its environments, its store.

To check the whole file takes longer than to list a folder. What only lists reads it like this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from castoff.config.toml import read_toml
from castoff.store.version import NAME

DEFAULT_STORE = "file://artifacts/store"


@dataclass(frozen=True, slots=True)
class Outline:
    """The names in a castoff.toml whose store is a folder.

    Attributes:
        base: The folder that the file lies in, absolute.
        store_url: Of the scheme `file`.
    """

    base: Path
    store_url: str
    apps: tuple[str, ...]
    environments: tuple[str, ...]
    default_app: str | None


def read_outline(path: Path) -> Outline | None:
    """Return a file's outline, or None if it takes more to read it, or to say what is wrong.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    _, document = read_toml(path)
    store = document.get("store", {})
    apps, environments = _names(document.get("apps")), _names(document.get("environments", {}))
    default = document.get("default_app")
    if not isinstance(store, dict) or store.keys() - {"url"} or not apps or environments is None:
        return None
    url = store.get("url", DEFAULT_STORE)
    if not isinstance(url, str) or not url.startswith("file://"):
        return None
    if default is not None and not isinstance(default, str):
        return None
    return Outline(path.parent.resolve(), url, apps, environments, default)


def _names(tables: Any) -> tuple[str, ...] | None:
    """Return the names of tables, or None if that is not what they are."""
    if not isinstance(tables, dict):
        return None
    sound = all(NAME.fullmatch(name) and isinstance(table, dict) for name, table in tables.items())
    return tuple(tables) if sound else None
