"""What is tried again, how often, and what looks on sees of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import HostTimeout, NotActivated, PreflightFailed, PrepareFailed
from castoff.releaser.job import Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.retry import MOST_PAUSE, Retries
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history
from support.engine import RESTART, check, go, live, log
from support.local_scope import make_scope
from support.memory_fleet import Fault, MemoryFleet

QUICK = 0.01


@dataclass
class Notes(Silent):
    """A watch that keeps the remarks."""

    said: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        self.said.append(text)


def release(scope: Scope, version: str, fault: Fault | None = None) -> tuple[Timeline, list[str]]:
    notes = Notes()
    timeline, fleet = Timeline(notes), MemoryFleet(fault=fault)
    try:
        run(resolve(scope, "release", version), timeline, connect=fleet.connect)
    finally:
        fleet.hang_up()
    return timeline, notes.said


def test_pauses_double_up_to_a_minute_and_leave_up_to_half_to_chance() -> None:
    retries = Retries(None, 2, frozenset())
    for tried, whole in ((1, 2), (2, 4), (5, 32), (6, MOST_PAUSE), (5_000, MOST_PAUSE)):
        pauses = [retries.pause(tried) for _ in range(50)]
        assert all(whole / 2 <= pause <= whole for pause in pauses)
        assert len(set(pauses)) > 1


def flaky(moment: str, name: str = "flaky", **more: Any) -> dict[str, Any]:
    """Return a step that fails the first time on each host."""
    command = (
        'echo "$CASTOFF_VERSION" >> "$CASTOFF_SHARED/tries"; '
        'test "$(grep -c "^$CASTOFF_VERSION$" "$CASTOFF_SHARED/tries")" -ge 2'
    )
    return {"name": name, "moment": moment, "command": command, **more}


def test_a_step_is_tried_again_as_often_as_it_says_and_each_try_is_on_record(
    tmp_path: Path,
) -> None:
    scope = make_scope(tmp_path, [flaky("after_activate", retries=1, retry_wait=QUICK)], hosts=1)

    timeline, said = release(scope, "1")

    spans = [span for span in timeline.spans if span.step == "flaky"]
    assert [(span.ok, span.retried) for span in spans] == [(False, True), (True, False)]
    (note,) = said
    assert "web1: step 'flaky' failed with exit status 1: flaky is tried again in" in note
    assert "(try 2 of 2)" in note
    rows = history.entries(scope.store, scope.app, scope.environment_name)[0].hosts[0].steps
    assert [row.retried for row in rows if row.name == "flaky"] == [True, False]


def test_a_once_only_step_runs_twice_only_if_it_says_so_itself(tmp_path: Path) -> None:
    quick = {"connect": 3, "prepare": 3, "wait": QUICK}
    scope = make_scope(tmp_path, [flaky("once", "migrate")], hosts=1, retries=quick)
    with pytest.raises(NotActivated):
        release(scope, "1")
    assert (Path(scope.hosts[0].root) / "shared" / "tries").read_text() == "1\n"

    willing = make_scope(tmp_path, [flaky("once", "migrate", retries=1, retry_wait=QUICK)], hosts=1)
    release(willing, "2")
    assert live(willing) == ["2"]


def test_a_step_that_goes_on_failing_fails_with_its_last_failure(tmp_path: Path) -> None:
    step = {**check("false", "prepare"), "retries": 2, "retry_wait": QUICK}
    scope = make_scope(tmp_path, [step], hosts=1)

    with pytest.raises(PrepareFailed, match="step 'check' failed"):
        release(scope, "1")

    entry = history.entries(scope.store, scope.app, scope.environment_name)[0]
    tries = [row.retried for row in entry.hosts[0].steps if row.name == "check"]
    assert tries == [True, True, False]


@pytest.mark.parametrize("op", ["connect", "open"])
def test_a_host_that_does_not_answer_at_first_is_connected_to_again(
    tmp_path: Path, op: str
) -> None:
    fault = Fault("web2", op, before=True, dies=False)
    scope = make_scope(tmp_path, [RESTART])
    with pytest.raises(PreflightFailed) as caught:
        release(scope, "1", fault)
    others = f"castoff release 1 --env {scope.environment_name} --except web2"
    assert f"To go on without: {others}" in caught.value.hint

    patient = make_scope(tmp_path, [RESTART], retries={"connect": 1, "wait": QUICK})
    _, said = release(patient, "1", Fault("web2", op, before=True, dies=False))

    assert live(patient) == ["1"] * 3
    assert any("connect is tried again" in note for note in said)


@pytest.mark.parametrize("before", [True, False])
def test_a_host_that_is_lost_while_it_prepares_is_prepared_again(
    tmp_path: Path, before: bool
) -> None:
    scope = make_scope(tmp_path, [RESTART], retries={"prepare": 1, "wait": QUICK})

    timeline, _ = release(scope, "1", Fault("web2", "prepare", before=before, dies=False))

    assert live(scope) == ["1"] * 3
    tries = [span for span in timeline.spans if (span.host, span.step) == ("web2", "prepare")]
    assert [span.retried for span in tries] == [True, False]


def test_a_step_whose_host_is_lost_runs_again_over_a_new_connection(tmp_path: Path) -> None:
    step = {**RESTART, "retries": 1, "retry_wait": QUICK}
    scope = make_scope(tmp_path, [step])

    release(scope, "1", Fault("web2", "run", before=True, dies=False))

    assert live(scope) == ["1"] * 3
    assert log(scope, 1) == ["restart 1"]


def test_with_the_policy_wait_a_host_is_tried_until_it_answers_or_time_is_up(
    tmp_path: Path,
) -> None:
    patient: dict[str, Any] = {"stragglers": {"policy": "wait"}, "retries": {"wait": QUICK}}
    scope = make_scope(tmp_path, [RESTART], **patient)
    _, said = release(scope, "1", Fault("web3", "connect", before=True, dies=False))
    assert live(scope) == ["1"] * 3
    assert any(note.endswith("(try 2)") for note in said)

    short = make_scope(tmp_path, [RESTART], limits={"release": 0.3}, **patient)
    fleet = MemoryFleet(down={"web3"})
    with pytest.raises(PreflightFailed, match="web3"):
        run(resolve(short, "release", "2"), Timeline(Silent()), connect=fleet.connect)
    fleet.hang_up()
    assert live(scope) == ["1"] * 3


def test_a_host_that_takes_longer_than_its_limit_is_a_straggler(tmp_path: Path) -> None:
    slow = check('test "$CASTOFF_HOST" != web3 || exec sleep 60', "prepare", "slow")
    apart = {"policy": "quarantine", "quorum": "2"}
    scope = make_scope(tmp_path, [slow, RESTART], limits={"host": 5}, stragglers=apart)

    timeline = go(scope, "release", "1")

    assert live(scope) == ["1", "1", "-"]
    assert timeline.quarantined["web3"].why == "the host's time is up"


def test_what_is_left_of_the_time_says_which_limit_to_raise(tmp_path: Path) -> None:
    job = resolve(make_scope(tmp_path, []), "release", "1")
    assert job.within("web1", 5) == 5
    for late, key in (
        (replace(job, host_deadline=0), "host"),
        (replace(job, deadline=0), "release"),
    ):
        with pytest.raises(HostTimeout) as caught:
            late.within("web1", 5)
        assert caught.value.hint.endswith(f"limits] {key}.")
