"""Name each stage of a build, and time it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Progress = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Stages:
    """Tells of stages as they begin.

    Attributes:
        progress: Called with a stage's name and what is about to be done in it.
        seconds: How long each stage took; filled as stages end.
    """

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, detail: str) -> Iterator[None]:
        """Run a stage; several of one name count together."""
        self.progress(name, detail)
        started = time.monotonic()
        try:
            yield
        finally:
            taken = time.monotonic() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + taken
