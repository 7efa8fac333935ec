"""The moment by which a built-in step has to be done."""

from __future__ import annotations

import time

from ..errors import AgentError


class Deadline:
    """Counts a step's time down.

    Attributes:
        at: When it is over, by `time.monotonic()`, seconds.
    """

    def __init__(self, name: str, limit: float) -> None:
        """Take the step's name and how many seconds it has."""
        self._name = name
        self._limit = limit
        self.started = time.monotonic()
        self.at = self.started + limit

    @property
    def spent(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            AgentError: `step-timeout`: none.
        """
        left = self.at - time.monotonic()
        if left <= 0:
            raise AgentError(
                "step-timeout",
                f"step {self._name!r} did not end within {self._limit:g} s and was told to stop",
                "Raise its `timeout`, or see in its output what it waited for.",
            )
        return left
