"""Forty hosts at once: real SSH and the real agent's code, each a thread of one process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from scale_work.ground import Ground, fakes

from support.site import CASTOFF

COUNT = 40


@pytest.fixture
def ground() -> Iterator[Ground]:
    with fakes(COUNT) as ground:
        yield ground


def castoff(ground: Ground, *words: str) -> str:
    """Run the command line; return what it prints."""
    done = subprocess.run(
        [str(CASTOFF), *words],
        cwd=ground.folder,
        env=ground.environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def entry(ground: Ground) -> dict[str, Any]:
    """Return the newest entry of the history."""
    found = json.loads(castoff(ground, "history", "--json"))
    return max(found, key=lambda one: one["number"])


def served(ground: Ground) -> set[str | None]:
    """Return what hosts serve."""
    links = (
        ground.folder.parent / "hosts" / str(number + 1) / "shop" / "current"
        for number in range(COUNT)
    )
    return {link.readlink().name if link.is_symlink() else None for link in links}


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """Return how many of some spans, each a start and a length, lie over each other at most."""
    ends = sorted(
        [(start, 1) for start, _ in spans] + [(start + took, -1) for start, took in spans]
    )
    most = now = 0
    for _, change in ends:
        now += change
        most = max(most, now)
    return most


def test_forty_hosts_are_prepared_and_flipped_and_so_many_connected_to_at_once(
    ground: Ground,
) -> None:
    castoff(ground, "push", "1.0")
    castoff(ground, "prepare", "1.0", "--concurrency", "8")
    assert served(ground) == {None}

    connects = [
        (step["started"], step["seconds"])
        for host in entry(ground)["hosts"]
        for step in host["steps"]
        if step["name"] == "connect"
    ]
    assert len(connects) == COUNT
    assert 1 < most_at_once(connects) <= 8

    said = castoff(ground, "activate", "1.0")
    assert served(ground) == {"1.0"}
    assert "skew of the flips" in said
    (flips,) = (line.split() for line in said.splitlines() if line.startswith("flip "))
    assert flips[:2] == ["flip", str(COUNT)]
    activated = entry(ground)
    assert len(activated["hosts"]) == COUNT
    assert 0 <= activated["skew_seconds"] <= activated["activation_seconds"]
