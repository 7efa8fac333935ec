"""Where what builds may use again is kept, and how much of it."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the user's cache folder for Castoff (XDG Base Directory Specification)."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # A relative one is invalid, says the specification, and to be ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / "castoff"


def cache_bound() -> int:
    """Return how many bytes the cache may hold: what CASTOFF_CACHE_SIZE says, or 2 GiB.

    Raises:
        UsageError: The variable holds no size.
    """
    from castoff.builder.cache import DEFAULT_BOUND
    from castoff.builder.cache_size import parse_size

    text = os.environ.get("CASTOFF_CACHE_SIZE", "")
    return parse_size(text, name="CASTOFF_CACHE_SIZE") if text else DEFAULT_BOUND
