"""The numbers that a release reports."""

from __future__ import annotations

import pytest

from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent


@pytest.fixture
def timeline(monkeypatch: pytest.MonkeyPatch) -> Timeline:
    """Return a timeline whose clock moves by one second at each look."""
    ticks = iter(range(1000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(ticks)))
    return Timeline(Silent())


def test_downtime_counts_from_the_first_irreversible_step_to_healthy(timeline: Timeline) -> None:
    timeline.irreversible()
    timeline.flipped("a")
    timeline.flipped("b")
    timeline.healthy("a")
    timeline.healthy("b")
    assert timeline.downtime("a") == 3
    assert timeline.downtime("b") == 4
    assert timeline.activation == 4
    assert timeline.skew == 1


def test_without_migrations_downtime_counts_from_the_hosts_own_flip(timeline: Timeline) -> None:
    timeline.flipped("a")
    timeline.flipped("b")
    timeline.healthy("b")
    assert timeline.downtime("b") == 1
    assert timeline.downtime("a") is None


def test_a_step_that_fails_is_recorded_as_failed(timeline: Timeline) -> None:
    with pytest.raises(OSError, match="no"), timeline.step("a", "prepare"):
        raise OSError("no")
    (span,) = timeline.spans
    assert (span.host, span.step, span.ok, span.seconds) == ("a", "prepare", False, 1)
