"""Fixtures that every package's tests may use, each kind in its own module of `support`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from support.longest_first import LONGEST_FIRST

# What tests fetch from the real index is fetched once: most of their builds keep nothing.
_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
os.environ.setdefault("UV_CACHE_DIR", str(_cache / "castoff-tests" / "uv"))

# The tests start Castoff thousands of times: its modules are to be compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# How long an example takes says how loaded the machine is.
settings.register_profile("castoff", deadline=None)
settings.load_profile("castoff")

pytest_plugins = [
    "support.backup_data",
    "support.database_fixtures",
    "support.fleet_fixtures",
    "support.s3_fixtures",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first, so that no worker is left alone with one at the end."""
    here = Path(__file__).parent
    place = {here / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))
