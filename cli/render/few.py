"""Many names in one line."""

from __future__ import annotations

from collections.abc import Sequence

_MOST = 12


def few(names: Sequence[str]) -> str:
    """Return names divided by commas; of many the first and last, and how many lie between."""
    if len(names) <= _MOST:
        return ", ".join(names)
    head, tail = names[: _MOST // 2], names[-_MOST // 2 :]
    between = len(names) - len(head) - len(tail)
    return ", ".join([*head, f"… {between} more …", *tail])
