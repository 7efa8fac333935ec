"""What `look` sees on hosts: drift, processes, locks, pins, and whether all agree."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.operations.status import Status, look
from castoff.store import freeze, lease, pins, quarantine
from support.engine import go
from support.local_scope import make_scope
from support.memory_fleet import MemoryFleet


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    """Return two hosts that serve version 1."""
    scope = make_scope(tmp_path, [], hosts=2)
    go(scope, "release", "1")
    return scope


@pytest.fixture
def fleet() -> Iterator[MemoryFleet]:
    fleet = MemoryFleet()
    yield fleet
    fleet.hang_up()


def see(scope: Scope, fleet: MemoryFleet, *, deep: bool = False) -> Status:
    return look(scope, deep=deep, connect=fleet.connect)


def served(scope: Scope, host: int = 0) -> Path:
    return Path(scope.hosts[host].root) / "current"


def rewrite(file: Path, data: bytes) -> None:
    """Write another content of the same size, as a tool that keeps times does."""
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(data)
    file.chmod(0o444)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_hosts_that_serve_what_was_built_agree(scope: Scope, fleet: MemoryFleet) -> None:
    found = see(scope, fleet)
    assert found.agrees
    assert [host.drift for host in found.hosts] == [None, None]
    assert found.hosts[0].tree_sha256 == found.hosts[1].tree_sha256
    assert (found.hosts[0].free_bytes or 0) > 0
    assert (found.lease, found.frozen, found.pinned, found.hosts[0].lock) == (None, None, (), None)


@pytest.mark.parametrize("deep", [False, True])
def test_files_that_were_changed_lost_or_added_are_named(
    scope: Scope, fleet: MemoryFleet, deep: bool
) -> None:
    rewrite(served(scope) / "app/1.txt", b"9")
    (served(scope) / "app/2.txt").unlink()
    (served(scope) / "app/left.py").write_text("x")

    found = see(scope, fleet, deep=deep)

    drift = found.hosts[0].drift
    assert drift is not None
    assert (drift.changed, drift.missing, drift.extra) == (
        ("app/1.txt",),
        ("app/2.txt",),
        ("app/left.py",),
    )
    assert drift.count == 3
    assert not found.agrees
    assert found.fits(found.hosts[1])


def test_no_more_than_twenty_of_a_kind_are_named_and_all_are_counted(
    scope: Scope, fleet: MemoryFleet
) -> None:
    for number in range(30):
        (served(scope) / f"left-{number}").write_text("x")
    drift = see(scope, fleet).hosts[0].drift
    assert drift is not None
    assert (len(drift.extra), drift.count) == (20, 30)


def test_a_record_on_the_host_that_was_made_to_fit_the_damage_is_found(
    scope: Scope, fleet: MemoryFleet
) -> None:
    records = Path(scope.hosts[0].root) / ".castoff/releases"
    go(replace(scope, hosts=scope.hosts[1:], partial="only web2"), "prepare", "2")
    other = Path(scope.hosts[1].root)
    for kind in ("table", "manifest"):
        text = (other / f".castoff/releases/2.{kind}.json").read_text()
        (records / f"1.{kind}.json").write_text(text)
    for file in (other / "releases/2/app").iterdir():
        rewrite(served(scope) / "app" / file.name, file.read_bytes())
    found = see(scope, fleet, deep=True)
    assert found.hosts[0].drift is None
    assert "not the store's" in (found.hosts[0].trouble or "")
    assert not found.agrees


def test_an_app_that_was_not_restarted_does_not_serve_what_is_linked(
    scope: Scope, fleet: MemoryFleet
) -> None:
    process = subprocess.Popen(
        ["sh", "-c", "echo ready; exec cat"],
        cwd=served(scope).resolve(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert see(scope, fleet).agrees
        go(scope, "release", "2")
        found = see(scope, fleet)
    finally:
        process.kill()
        process.communicate()
    assert found.hosts[0].processes == {"1": 1}
    assert [host.stale for host in found.hosts] == [True, False]
    assert not found.agrees


def test_who_is_at_work_on_the_environment_and_on_a_host_is_seen(
    scope: Scope, fleet: MemoryFleet
) -> None:
    where = (scope.store, scope.app, scope.environment_name)
    opening = Opening(app=scope.app, token=99, owner="release 2 by ann@desk", lock=True)
    with (
        lease.held(*where, owner="ann@desk", reason="release 2"),
        Fleet(MemoryFleet().connect, opening, environment=scope.environment) as busy,
    ):
        busy.open(scope.hosts[1])
        found = see(scope, fleet)
    assert "ann@desk since 20" in (found.lease or "")
    assert (found.lease or "").endswith(": release 2")
    assert [host.lock is not None for host in found.hosts] == [False, True]
    assert "release 2 by ann@desk" in (found.hosts[1].lock or "")


def test_a_freeze_pins_and_quarantine_are_shown(scope: Scope, fleet: MemoryFleet) -> None:
    where = (scope.store, scope.app, scope.environment_name)
    freeze.put(*where, owner="ann@desk", reason="stocktaking", frozen=True)
    pins.pin(*where, "1", owner="ann@desk", reason="trial")
    apart = quarantine.Quarantined(host="web2", since=1.0, why="no route", version="1", release="r")
    quarantine.write(*where, [apart], etag=None)

    found = see(scope, fleet)

    assert "stocktaking" in (found.frozen or "")
    assert [(pin.version, pin.reason) for pin in found.pinned] == [("1", "trial")]
    assert "no route" in (found.hosts[1].quarantine or "")
    assert found.hosts[0].quarantine is None
    assert not found.agrees
