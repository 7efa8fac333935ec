"""Limits of time that tests let run out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

# In seconds. The first is over soon, the last comes only where the machine is hardly there.
LIMITS = (0.4, 3.0, 20.0)


def written(path: Path, *, within: float = 0) -> bool:
    """Return whether there is something in a file by now, or within so many seconds."""
    deadline = time.monotonic() + within
    while not (path.exists() and path.read_text()):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def cut_short(
    run: Callable[[float], object], *begun: Path, limits: Sequence[float] = LIMITS
) -> None:
    """Let a limit run out, a longer one if what runs had not got as far as it has to.

    On a busy machine a limit may be over before a process has come to its first line, which
    says nothing of what becomes of the process.

    Args:
        run: Runs a command with a limit in seconds, and checks how that ends.
        begun: Files that the command writes before it hangs.
        limits: The limits, in seconds.
    """
    for limit in limits:
        run(limit)
        if all(written(path) for path in begun):
            return
    pytest.fail(f"it does not begin within {limits[-1]:g} s")
