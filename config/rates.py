"""Rates as people write them: bytes a second, in units that are powers of 1024."""

from __future__ import annotations

import re

_RATE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)", re.ASCII)
_POWERS = " KMGT"
# Slower than this is hardly meant, and hosts take it for a server that stalls.
_LEAST = 1024


def rate(text: str) -> str:
    """Return a rate as it is.

    Raises:
        ValueError: It is none, or too low for anything.
    """
    if _RATE.fullmatch(text) is None or bytes_a_second(text) < _LEAST:
        raise ValueError('must be bytes a second as in "20M", "1K" at least')
    return text


def bytes_a_second(text: str) -> int:
    """Return what a rate means.

    Raises:
        ValueError: It is none.
    """
    match = _RATE.fullmatch(text)
    if match is None:
        raise ValueError("not a rate")
    return int(float(match[1]) * 1024 ** _POWERS.index(match[2] or " "))
