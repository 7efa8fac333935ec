"""Numbers as people read them."""

from __future__ import annotations

_STEP = 1024


def size(count: int | None) -> str:
    """Return bytes as `482 B`, `1.4 MiB`, …; `-` for None."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < _STEP:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:.1f} TiB"


def seconds(count: float | None) -> str:
    """Return seconds as `0.42 s`; `-` for None."""
    return "-" if count is None else f"{count:.2f} s"
