"""Releases that go on without hosts, and how those come back; hosts in memory, agents real."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import (
    NotActivated,
    PreflightFailed,
    PrepareFailed,
    RolledBack,
)
from castoff.releaser.operations.status import look
from castoff.releaser.record import on_record
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import run_document
from support.apart import Ground, newest
from support.engine import MIGRATE, RESTART, check, live, log, outcomes
from support.memory_fleet import ControllerDied, Fault


def test_a_host_that_does_not_answer_is_left_out_recorded_and_taken_along_by_the_next_release(
    tmp_path: Path,
) -> None:
    ground = Ground(tmp_path, [MIGRATE, RESTART])

    timeline = ground.run("release", "2", "web1")

    assert live(ground.scope) == ["1", "2", "2"]
    assert on_record(ground.scope) == "2"
    assert "migrate 2" in log(ground.scope, 1), "its leader is the first host that takes part"
    entry = newest(ground.scope)
    assert (entry.outcome, [one.name for one in entry.quarantined]) == ("released", ["web1"])
    (noted,) = ground.apart().values()
    assert (noted.host, noted.version, noted.number) == ("web1", "2", entry.number)
    assert noted.why
    assert set(timeline.quarantined) == {"web1"}

    ground.run("release", "3")

    assert live(ground.scope) == ["3"] * 3
    assert ground.apart() == {}
    assert newest(ground.scope).quarantined == ()
    assert log(ground.scope, 0).count("migrate 2") == 0


def test_a_host_that_stays_away_stays_in_quarantine_and_stops_nothing(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART])
    ground.run("release", "2", "web3")
    first = ground.apart()["web3"]

    ground.run("release", "3", "web3")

    assert live(ground.scope) == ["3", "3", "1"]
    second = ground.apart()["web3"]
    assert (second.since, second.number, second.version) == (first.since, first.number, "3")


def test_status_names_it_and_does_not_agree(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [])
    ground.run("release", "2", "web3")

    found = look(ground.scope)

    told = {host.name: host.quarantine for host in found.hosts}
    assert told["web1"] is told["web2"] is None
    assert (told["web3"] or "").startswith("since 20")
    assert not found.agrees


@pytest.mark.parametrize("before", [True, False])
def test_a_host_that_is_lost_in_prepare_keeps_what_it_serves_and_knows_where_it_stands(
    tmp_path: Path, before: bool
) -> None:
    steps = [RESTART, check('echo off >> "$CASTOFF_SHARED/log"', "quarantine", "off")]
    ground = Ground(tmp_path, steps)

    ground.run("release", "2", fault=Fault("web2", "prepare", before=before, dies=False))

    assert live(ground.scope) == ["2", "1", "2"]
    assert log(ground.scope, 1) == ["restart 1", "off"]
    assert [log(ground.scope, host) for host in (0, 2)] == [["restart 1", "restart 2"]] * 2
    with MarkReader(ground) as marks:
        assert marks == {"web1": False, "web2": True, "web3": False}
    ground.run("release", "3")
    with MarkReader(ground) as marks:
        assert not any(marks.values())


class MarkReader:
    """Whether each host says that it is in quarantine."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def __enter__(self) -> dict[str, bool]:
        from castoff.releaser.fleet import Fleet, Opening

        scope = self._ground.scope
        connect = self._ground.fleet.connect
        with Fleet(connect, Opening(app=scope.app), environment=scope.environment) as fleet:
            return {
                host.name: fleet.open(host).state.quarantine is not None for host in scope.hosts
            }

    def __exit__(self, *_: object) -> None:
        self._ground.calm()


def test_a_step_that_fails_before_the_barrier_leaves_its_host_out(tmp_path: Path) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web32', "prepare")
    ground = Ground(tmp_path, [RESTART, fails])

    ground.run("release", "2")

    assert live(ground.scope) == ["2", "2", "1"]
    assert "step 'check' failed" in ground.apart()["web3"].why


def test_without_a_quorum_nothing_is_activated_and_nobody_is_put_apart(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART])

    with pytest.raises(PreflightFailed, match="1 of 3 hosts can take part, and the quorum is 2"):
        ground.run("release", "2", "web1", "web2")
    fails = Fault("web2", "prepare", before=True, dies=False)
    with pytest.raises(PrepareFailed, match="1 of 3 hosts") as caught:
        ground.run("release", "2", "web1", fault=fails)

    assert [failure.host for failure in caught.value.failures] == ["web1", "web2"]
    assert live(ground.scope) == ["1"] * 3
    assert ground.apart() == {}


def test_a_host_that_fails_after_the_barrier_takes_all_back_whatever_the_policy(
    tmp_path: Path,
) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web22')
    ground = Ground(tmp_path, [RESTART, fails])

    with pytest.raises(RolledBack):
        ground.run("release", "2", "web3")

    assert live(ground.scope) == ["1"] * 3
    assert outcomes(ground.scope)[-1] == "release 2 rolled back"
    assert set(ground.apart()) == {"web3"}, "it was drained, and is to be put back"
    assert ground.converge() is not None
    assert ground.apart() == {}


def test_what_is_only_prepared_has_to_be_on_every_host(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [])

    with pytest.raises(PreflightFailed):
        ground.run("prepare", "2", "web3")

    assert ground.apart() == {}


@pytest.mark.parametrize("what", [resume, abort])
def test_resume_and_abort_of_a_run_that_went_on_without_a_host(tmp_path: Path, what: Any) -> None:
    ground = Ground(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        ground.run("release", "2", "web3", fault=Fault("web2", "activate", before=True, dies=True))
    ground.fleet.down = {"web3"}

    what(ground.scope, Timeline(Silent()), connect=ground.fleet.connect)
    ground.calm()

    assert live(ground.scope) == (["2", "2", "1"] if what is resume else ["1"] * 3)
    assert set(ground.apart()) == {"web3"}
    ground.fleet.down = set()
    ground.converge()
    assert len(set(live(ground.scope))) == 1


def test_a_host_that_an_interrupted_run_may_have_flipped_is_not_left_out_when_it_is_resumed(
    tmp_path: Path,
) -> None:
    ground = Ground(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        ground.run("release", "2", "web3", fault=Fault("web2", "activate", before=False, dies=True))
    ground.fleet.down = {"web2"}

    with pytest.raises(PreflightFailed, match="web2 may have flipped"):
        resume(ground.scope, Timeline(Silent()), connect=ground.fleet.connect)
    ground.calm()

    seen = run_document.read(ground.scope.store, ground.scope.app, ground.scope.environment_name)
    assert seen is not None
    assert not seen[0].over
    ground.fleet.down = set()
    resume(ground.scope, Timeline(Silent()), connect=ground.fleet.connect)
    ground.calm()
    assert live(ground.scope) == ["2"] * 3
    assert ground.apart() == {}


def test_a_migration_that_fails_leaves_the_host_that_was_left_out_where_it_was(
    tmp_path: Path,
) -> None:
    fails = check('test "$CASTOFF_VERSION" != 2', "once", "migrate")
    ground = Ground(tmp_path, [fails, RESTART])

    with pytest.raises(NotActivated):
        ground.run("release", "2", "web3")

    assert live(ground.scope) == ["1"] * 3
    assert set(ground.apart()) == {"web3"}
