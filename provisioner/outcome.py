"""What came of provisioning: values that are told as they come, and summed up at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from castoff.releaser.errors import HostUnreachable

State = Literal["ok", "changed", "would change", "failed", "left out"]


@dataclass(frozen=True, slots=True)
class ThingOutcome:
    """How one thing on one host is.

    Attributes:
        name: The thing's, as `user shop`.
        state: `left out` is what was not begun, since something before it failed.
        details: What would be done, or the last lines of what failed.
    """

    host: str
    name: str
    state: State
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How everything is.

    Attributes:
        misses: Hosts that cannot be worked on, and why.
    """

    things: tuple[ThingOutcome, ...]
    misses: tuple[HostUnreachable, ...] = ()

    def count(self, state: State) -> int:
        """Return how many things are in a state."""
        return sum(thing.state == state for thing in self.things)
