"""Lists as the strict, immutable models want them."""

from __future__ import annotations

from typing import Any


def frozen(value: Any) -> Any:
    """Return a value of TOML or JSON with tuples for its lists, however deep they lie."""
    if isinstance(value, dict):
        return {key: frozen(one) for key, one in value.items()}
    if isinstance(value, list):
        return tuple(frozen(one) for one in value)
    return value
