"""What a host's agent says of a step's output, put together to the lines that the step printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from castoff.releaser.session import Event


@contextmanager
def whole_lines(say: Callable[[str], None]) -> Iterator[Callable[[Event], None]]:
    """Yield what takes an agent's events and passes lines on, a last one without an end too.

    The agent sends long lines in parts, and a secret that lies in two of them could not be known.
    """
    begun = ""

    def hear(event: Event) -> None:
        nonlocal begun
        if event.get("event") == "output":
            *lines, begun = (begun + str(event.get("text", ""))).split("\n")
            for line in lines:
                say(line)

    try:
        yield hear
    finally:
        if begun:
            say(begun)
