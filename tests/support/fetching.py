"""The agent's fetch in this process: its pauses are noted instead of waited for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from castoff.releaser.agent.arrivals import Arrivals
from castoff.releaser.agent.fetch import fetch
from castoff.releaser.agent.messages import Channel
from castoff.releaser.agent.pace import Pace
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.agent.table import parse_table
from support.archives import Artifact


class QuietChannel(Channel):
    """A channel to nobody.

    Attributes:
        pauses: Seconds of each wait that was asked for.
        urls: Given one after the other when another URL is asked for.
        on_check: Called at each look for the controller.
    """

    def __init__(self) -> None:
        self.about = None
        self.pauses: list[float] = []
        self.urls: list[str] = []
        self.on_check: Callable[[], None] = lambda: None

    def now(self) -> float:
        """Return the time that goes by in pauses alone."""
        return sum(self.pauses)

    def check(self, wait: float = 0) -> None:
        """Note a pause, and do not wait."""
        self.on_check()
        if wait:
            self.pauses.append(wait)

    def event(self, kind: str, until: float | None = None, **content: Any) -> None:
        """Say nothing."""

    def other_url(self) -> str | None:
        """Return the next URL."""
        return self.urls.pop(0) if self.urls else None


@contextmanager
def arrivals_in(path: Path, artifact: Artifact) -> Iterator[Arrivals]:
    """Open a file for all of an artifact's members; what lies there already is taken up."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        arrivals = Arrivals(file, parse_table(artifact.table_bytes).members)
        arrivals.take_up()
        yield arrivals


def fetch_all(
    path: Path, artifact: Artifact, *sources: dict[str, str], channel: QuietChannel | None = None
) -> int:
    """Fetch all that the file lacks; return how many bytes came.

    Raises:
        AgentError: It cannot be had.
    """
    with arrivals_in(path, artifact) as arrivals:
        fetch_into(arrivals, artifact, *sources, channel=channel)
        assert not arrivals.left
        return arrivals.fetched


def fetch_into(
    arrivals: Arrivals,
    artifact: Artifact,
    *sources: dict[str, str],
    channel: QuietChannel | None = None,
    rate: int = 0,
) -> None:
    """Fetch what is left.

    Raises:
        AgentError: It cannot be had.
    """
    told = [Parameters(dict(source)) for source in sources]
    channel = channel or QuietChannel()
    pace = Pace(rate, clock=channel.now)
    fetch(channel, told, arrivals, len(artifact.archive), pace)


def is_all_there(path: Path, artifact: Artifact) -> bool:
    """Return whether the file holds every member as it is in the archive."""
    data = path.read_bytes()
    members = parse_table(artifact.table_bytes).members
    return all(
        data[m.offset : m.offset + m.length] == artifact.archive[m.offset : m.offset + m.length]
        for m in members
    )
