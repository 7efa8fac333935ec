"""Rates of wires, in the words of tc(8)."""

from __future__ import annotations

import argparse

_SLOWER = 10


def rate(text: str) -> str:
    """Return a rate as it was given.

    Raises:
        ArgumentTypeError: It is none.
    """
    if not (text.endswith("mbit") and text.removesuffix("mbit").isdigit()):
        raise argparse.ArgumentTypeError("a whole number of megabits a second, as in 50mbit")
    return text


def bits(rate: str) -> int:
    """Return the bits a second of a rate."""
    return int(rate.removesuffix("mbit")) * 1_000_000


def tenth(rate: str) -> str:
    """Return a tenth of a rate."""
    return f"{bits(rate) // _SLOWER // 1000}kbit"
