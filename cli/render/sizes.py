"""Numbers as people read them."""

from __future__ import annotations

_STEP = 1024
_BRIEF = 0.1
_MINUTE = 60


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


def duration(count: float) -> str:
    """Return seconds as `34 ms`, `0.42 s` or `12 min 05 s`, whichever says it shortest."""
    if count < _BRIEF:
        return f"{count * 1000:.0f} ms"
    if count < _MINUTE:
        return f"{count:.2f} s"
    minutes, rest = divmod(round(count), _MINUTE)
    return f"{minutes} min {rest:02} s"
