"""The picture of a release puts every step where it was on the time axis."""

from __future__ import annotations

import pytest

from castoff.cli.render.picture import Picture, pictures
from castoff.store.history import HostRow
from support.entries import entry, released, rolled_back, step


def bars(picture: Picture, lane: int) -> dict[str, tuple[float, float]]:
    return {bar.name: (bar.place.left, bar.place.width) for bar in picture.lanes[lane].bars}


def test_bars_lie_on_the_axis_in_proportion_to_their_times() -> None:
    whole = pictures(released())[0]
    # The axis runs from the start to the last step's end: 11.25 s.
    left, width = bars(whole, 2)["prepare"]
    assert left == pytest.approx(100 * 0.25 / 11.25, abs=0.01)
    assert width == pytest.approx(100 * 9.0 / 11.25, abs=0.01)
    assert [tick.text for tick in whole.ticks] == ["0 s", "5 s", "10 s"]
    assert whole.ticks[1].left == pytest.approx(100 * 5 / 11.25, abs=0.01)


def test_the_barrier_is_where_the_last_host_was_prepared() -> None:
    assert pictures(released())[0].barrier == pytest.approx(100 * 9.25 / 11.25, abs=0.01)


def test_a_release_that_stopped_before_the_barrier_shows_none() -> None:
    hosts = (
        HostRow(
            name="web1", downtime_seconds=None, steps=(step("prepare", "prepare", 0, 3, ok=False),)
        ),
    )
    (whole,) = pictures(entry(hosts, outcome="failed", took=3.0))
    assert whole.barrier is None
    assert whole.lanes[0].down is None
    assert not whole.lanes[0].bars[0].ok


def test_a_short_activation_is_shown_enlarged_without_what_was_before() -> None:
    whole, near = pictures(released())
    assert "prepare" in bars(whole, 0)
    assert "prepare" not in bars(near, 0)
    assert near.barrier is None
    down = near.lanes[0].down
    assert down is not None
    assert down.left == pytest.approx(bars(near, 0)["migrate"][0], abs=0.01)
    assert down.width > 90


def test_a_long_activation_needs_no_second_picture() -> None:
    hosts = (
        HostRow(
            name="web1",
            downtime_seconds=9.0,
            steps=(
                step("prepare", "prepare", 0, 1),
                step("flip", "activate", 1, 0.1),
                step("restart", "restart", 1.1, 8.9),
            ),
            flipped=released().started + 1,
            healthy=released().started + 10,
        ),
    )
    assert len(pictures(entry(hosts, activation=9.0))) == 1


def test_a_host_that_never_got_healthy_counts_as_down_until_its_last_step() -> None:
    whole = pictures(rolled_back())[0]
    assert [lane.downtime for lane in whole.lanes] == ["1.00 s", "3.00 s"]
    down = whole.lanes[1].down
    assert down is not None
    assert down.left == pytest.approx(100 * 6 / 9, abs=0.01)
    assert down.left + down.width == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(
    ("took", "last"), [(0.004, "0.004 s"), (0.9, "0.8 s"), (60, "60 s"), (7300, "100:00 min")]
)
def test_ticks_are_few_and_round(took: float, last: str) -> None:
    hosts = (
        HostRow(name="a", downtime_seconds=None, steps=(step("prepare", "prepare", 0, took),)),
    )
    ticks = pictures(entry(hosts, took=took))[0].ticks
    assert 3 <= len(ticks) <= 6
    assert ticks[0].left == 0
    assert ticks[-1].text == last


def test_late_in_a_long_release_ticks_are_still_told_apart() -> None:
    start = released().started
    hosts = (
        HostRow(
            name="web1",
            downtime_seconds=1.0,
            steps=(step("prepare", "prepare", 0, 600), step("restart", "restart", 600, 1)),
            flipped=start + 600,
            healthy=start + 601,
        ),
    )
    near = pictures(entry(hosts, activation=1.0))[1]
    assert [tick.text for tick in near.ticks] == ["600.0 s", "600.5 s", "601.0 s"]


def test_a_run_without_steps_has_no_picture() -> None:
    assert pictures(entry((), outcome="interrupted")) == ()


def test_a_step_of_no_length_at_the_very_start_is_still_drawn() -> None:
    hosts = (HostRow(name="a", downtime_seconds=None, steps=(step("connect", "", 0, 0),)),)
    (picture,) = pictures(entry(hosts, took=0.0))
    assert len(picture.lanes[0].bars) == 1
