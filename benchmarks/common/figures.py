"""Several measurements of one thing, and how they are written."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """The median of some measurements, with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """Sum up at least one measurement."""
        return cls(statistics.median(values), min(values), max(values))


def seconds(value: float) -> str:
    """Return a duration with about three digits."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s"


def size(value: float) -> str:
    """Return a number of bytes with about three digits, in powers of 1000."""
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"
