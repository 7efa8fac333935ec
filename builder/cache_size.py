"""Sizes as people write them."""

from __future__ import annotations

import re

from castoff.store.errors import UsageError

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_POWERS = " KMGT"


def parse_size(text: str, *, name: str) -> int:
    """Return the bytes that `500M`, `1.5 GiB` or `0` means; units are powers of 1024.

    Args:
        text: What was written.
        name: Of the option or variable that it was written in, for the message.

    Raises:
        UsageError: It is no size.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(
            f"{name}: {text!r} is not a size", hint="Write it as 500M or 2G; 0 keeps nothing."
        )
    return int(float(match[1]) * 1024 ** _POWERS.index(match[2].upper() or " "))
