"""How a command's end is told of, by the number that stands for it."""

from __future__ import annotations


def ending(status: int) -> str:
    """Return it in words.

    Args:
        status: Its exit status. Where it has none (RFC 4254, 6.10) it is a negative number: -1 by
            an SSH library, and that of a signal by a relay.
    """
    if status < 0:
        return "it ended without an exit status, as what is killed does"
    return f"exit status {status}"
