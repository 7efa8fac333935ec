"""What a release finds around the code: its version, its settings for this host, its secrets.

All three are read once, from the release that the code itself lies in, wherever `current` points: a
process belongs to the release that it was started from. Outside of a release there is nothing, and
what is right for developing counts.
"""

import json
import os
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

APP = Path(__file__).resolve().parents[1]
RELEASE = APP.parent


def version() -> str:
    """Return the version in the release's castoff.json; empty outside of a release."""
    document = RELEASE / "castoff.json"
    return json.loads(document.read_bytes())["version"] if document.is_file() else ""


def host_settings() -> dict[str, Any]:
    """Return what deploy/settings.json.j2 was rendered to for this host."""
    document = APP / "settings.json"
    return json.loads(document.read_bytes()) if document.is_file() else {}


def secrets() -> dict[str, str]:
    """Return the variables of `.env`, which a shell could read as well."""
    file = APP / ".env"
    words = shlex.split(file.read_text(encoding="utf-8")) if file.is_file() else []
    found = {name: value for name, _, value in (word.partition("=") for word in words)}
    return {**found, **{name: os.environ[name] for name in found if name in os.environ}}


def database(url: str) -> dict[str, Any]:
    """Return Django's words for a database's URL; for none, an SQLite beside the code."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": APP / "db.sqlite3"}
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or "",
        "CONN_MAX_AGE": 60,
        # A restore sends away whoever is connected.
        "CONN_HEALTH_CHECKS": True,
    }


def cache(address: str, password: str) -> dict[str, Any]:
    """Return Django's words for a Redis; without an address, for a cache in the process."""
    if not address:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    return {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": f"redis://{address}/0",
        "KEY_PREFIX": "shop",
        "OPTIONS": {"password": password} if password else {},
    }
