"""What castoff.toml names: its apps, its environments, its store.

To check the whole file takes longer than to list a folder. What only lists reads it like this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from castoff.config.toml import read_toml
from castoff.store.version import NAME

DEFAULT_STORE = "file://artifacts/store"
_TEXT = ("endpoint_url", "region", "profile")
_UNUSED = {"url_expires", "patches"}
_CHECKSUMS = ("sha256", "md5")
_MOST_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class StoreOutline:
    """Where a store is, as `open_store` wants it; config/model.py says what each means."""

    url: str = DEFAULT_STORE
    endpoint_url: str | None = None
    region: str | None = None
    profile: str | None = None
    path_style: bool | None = None
    checksums: Literal["sha256", "md5"] = "sha256"
    timeout: float = 20


@dataclass(frozen=True, slots=True)
class Outline:
    """The names in a castoff.toml, and its store.

    Attributes:
        base: The folder that the file lies in, absolute.
    """

    base: Path
    store: StoreOutline
    apps: tuple[str, ...]
    environments: tuple[str, ...]
    default_app: str | None
    default_environment: str | None


def read_outline(path: Path) -> Outline | None:
    """Return a file's outline, or None if it takes more to read it, or to say what is wrong.

    Raises:
        ConfigError: It cannot be read, or is not TOML.
    """
    _, document = read_toml(path)
    store = _store(document.get("store", {}))
    apps, environments = _names(document.get("apps")), _names(document.get("environments", {}))
    defaults = document.get("default_app"), document.get("default_environment")
    if store is None or not apps or environments is None:
        return None
    if not all(name is None or isinstance(name, str) for name in defaults):
        return None
    return Outline(path.parent.resolve(), store, apps, environments, *defaults)


def _store(table: Any) -> StoreOutline | None:
    """Return the store that a table describes, or None if it is not sound."""
    if not isinstance(table, dict):
        return None
    settings = {key: value for key, value in table.items() if key not in _UNUSED}
    sound: dict[str, Callable[[Any], object]] = {
        "url": lambda url: isinstance(url, str) and url.startswith(("file://", "s3://")),
        "path_style": lambda value: isinstance(value, bool),
        "checksums": _CHECKSUMS.__contains__,
        "timeout": lambda value: type(value) in (int, float) and 0 < value <= _MOST_SECONDS,
        **dict.fromkeys(_TEXT, lambda text: isinstance(text, str) and text.isprintable() and text),
    }
    if not all(key in sound and sound[key](value) for key, value in settings.items()):
        return None
    return StoreOutline(**settings)


def _names(tables: Any) -> tuple[str, ...] | None:
    """Return the names of tables, or None if that is not what they are."""
    if not isinstance(tables, dict):
        return None
    sound = all(NAME.fullmatch(name) and isinstance(table, dict) for name, table in tables.items())
    return tuple(tables) if sound else None
