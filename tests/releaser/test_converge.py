"""Hosts that fell behind are brought to the version on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.releaser.converge import converging
from castoff.releaser.errors import (
    NotConverged,
    PreflightFailed,
    RolledBack,
)
from castoff.releaser.operations.status import look
from castoff.releaser.record import on_record, previous_good
from castoff.releaser.resume import abort
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store.errors import UnknownVersion, UsageError
from support.apart import APART, Ground, newest
from support.engine import MIGRATE, RESTART, check, go, live, log
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault


def test_converge_brings_hosts_to_the_version_on_record_without_once_only_steps(
    tmp_path: Path,
) -> None:
    ground = Ground(tmp_path, [MIGRATE, RESTART])
    ground.run("release", "2", "web1")
    before = previous_good(ground.scope)

    assert ground.converge() is not None

    assert live(ground.scope) == ["2"] * 3
    assert log(ground.scope, 0) == ["migrate 1", "restart 1", "restart 2"]
    assert log(ground.scope, 1)[-1] == "restart 2"
    assert ground.apart() == {}
    entry = newest(ground.scope)
    assert (entry.kind, entry.outcome, entry.only) == ("converge", "released", "only web1")
    assert (on_record(ground.scope), previous_good(ground.scope)) == ("2", before)
    assert look(ground.scope).agrees
    assert ground.converge() is None, "nothing is left to do"


def test_converge_finds_a_host_that_differs_without_being_in_quarantine(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART], stragglers={})
    link = Path(ground.scope.hosts[1].root) / "current"
    link.unlink()

    ground.converge()

    assert live(ground.scope) == ["1"] * 3
    assert newest(ground.scope).only == "only web2"


def test_converge_does_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART], stragglers={**APART, "quorum": "1"})
    ground.run("release", "2", "web2", "web3")

    with pytest.raises(NotConverged, match="web3"):
        ground.converge(down=("web3",))

    assert live(ground.scope) == ["2", "2", "1"]
    assert set(ground.apart()) == {"web3"}
    with pytest.raises(PreflightFailed):
        ground.converge("web3", down=("web3",))


def test_a_host_that_is_not_healthy_after_converging_goes_back_and_stays_apart(
    tmp_path: Path,
) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web32')
    ground = Ground(tmp_path, [RESTART, fails])
    ground.run("release", "2", "web3")

    with pytest.raises(RolledBack):
        ground.converge()

    assert live(ground.scope) == ["2", "2", "1"]
    assert set(ground.apart()) == {"web3"}


def test_converge_needs_a_version_on_record_and_known_hosts(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [])
    with pytest.raises(UnknownVersion, match="no version yet"):
        converging(scope, ())
    go(scope, "release", "1")
    with pytest.raises(UsageError, match="no host 'web9'"):
        converging(scope, ("web9",))


def test_converge_does_not_walk_over_a_run_that_was_interrupted(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        ground.run("release", "2", fault=Fault("web2", "activate", before=True, dies=True))

    with pytest.raises(UsageError, match="has not come to its end"):
        ground.converge("web3")

    abort(ground.scope, Timeline(Silent()))
    assert live(ground.scope) == ["1"] * 3
