"""What is released, one after the other: the first version, lines of code, bumps of Django."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

FIRST, LINE, BUMP = "first", "line", "bump"


@dataclass(frozen=True)
class Change:
    """One commit.

    Attributes:
        what: `first`, `line` or `bump`.
        version: A number; each commit says its own in the code.
        bumps: How many bumps of Django there have been, this one included.
    """

    what: str
    version: str
    bumps: int = 0


def series(repeat: int) -> Iterator[Change]:
    """Yield the first version, then as many changes of each kind."""
    yield Change(FIRST, "1")
    for number in range(repeat):
        yield Change(LINE, str(2 + number))
    for number in range(repeat):
        yield Change(BUMP, str(2 + repeat + number), number + 1)
