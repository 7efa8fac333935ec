"""Hosts read their releases again, and a release of the same version mends what they find."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.releaser.job import Scope
from castoff.releaser.operations.verify_hosts import verify_hosts
from castoff.store import history
from castoff.store.errors import ExitCode
from support.engine import go, live
from support.local_scope import make_scope
from support.memory_fleet import Fault, MemoryFleet


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    """Return two hosts that serve version 2 and have 1."""
    scope = make_scope(tmp_path, [], hosts=2)
    go(scope, "release", "1")
    go(scope, "release", "2")
    return scope


def damage(scope: Scope, host: int, version: str) -> None:
    folder = Path(scope.hosts[host].root) / "releases" / version / "app"
    (folder / "1.txt").chmod(0o644)
    (folder / "1.txt").write_bytes(b"?")
    (folder / "1.txt").chmod(0o444)
    (folder / "2.txt").unlink()


def test_whole_releases_are_whole(scope: Scope) -> None:
    found = verify_hosts(scope, version=None, every=False)
    assert found.failure is None
    assert [[one.version for one in host.releases] for host in found.hosts] == [["2"], ["2"]]
    every = verify_hosts(scope, version=None, every=True)
    assert [one.version for one in every.hosts[0].releases] == ["1", "2"]
    assert all(one.whole and one.tree_sha256 == one.expected for one in every.hosts[0].releases)


def test_damage_is_named_with_its_host_and_its_mend(scope: Scope) -> None:
    damage(scope, 1, "2")
    failure = verify_hosts(scope, version=None, every=False).failure
    assert failure is not None
    assert failure.exit_code == ExitCode.CORRUPT
    assert "web2: 2 differs: app/1.txt (changed), app/2.txt (missing)" in failure.message
    assert "castoff release 2 --env production" in failure.hint


def test_what_is_not_served_is_mended_without_going_live(scope: Scope) -> None:
    damage(scope, 0, "1")
    assert verify_hosts(scope, version=None, every=False).failure is None
    failure = verify_hosts(scope, version="1", every=False).failure
    assert failure is not None
    assert "castoff prepare 1 --env production" in failure.hint
    go(scope, "prepare", "1")
    assert verify_hosts(scope, version=None, every=True).failure is None
    assert live(scope) == ["2", "2"]


def test_releasing_what_is_live_mends_it_also_of_what_does_not_belong_there(scope: Scope) -> None:
    damage(scope, 0, "2")
    (Path(scope.hosts[1].root) / "releases/2/left.py").write_text("x")
    go(scope, "release", "2")
    assert verify_hosts(scope, version=None, every=False).failure is None
    assert live(scope) == ["2", "2"]


def test_a_version_that_hosts_do_not_have_is_no_damage(scope: Scope) -> None:
    failure = verify_hosts(scope, version="3", every=False).failure
    assert failure is not None
    assert failure.exit_code == ExitCode.DISAGREE
    assert "web1: no complete release 3 on this host" in failure.message


def test_a_host_that_cannot_be_asked_is_named_and_the_others_are_read(scope: Scope) -> None:
    fleet = MemoryFleet(fault=Fault(host="web1", op="connect", before=True, dies=False))
    found = verify_hosts(scope, version=None, every=False, connect=fleet.connect)
    fleet.hang_up()
    assert found.failure is not None
    assert found.failure.exit_code == ExitCode.UNREACHABLE
    assert found.hosts[0].trouble == "no route"
    assert found.hosts[1].releases[0].whole


def test_a_name_that_is_no_text_is_told_with_escapes(scope: Scope) -> None:
    (Path(scope.hosts[0].root) / os.fsdecode(b"releases/2/\xff\x1b[2J")).write_text("x")
    found = verify_hosts(scope, version=None, every=False)
    assert found.failure is not None
    assert "\\udcff\\x1b[2J (extra)" in found.failure.message


def test_nothing_is_noted_anywhere(scope: Scope) -> None:
    before = history.everything(scope.store, scope.app, scope.environment_name)
    verify_hosts(scope, version=None, every=True)
    assert history.everything(scope.store, scope.app, scope.environment_name) == before
