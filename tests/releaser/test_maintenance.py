"""The maintenance page on all hosts at once, and around a release."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import (
    HostUnreachable,
    Mixed,
    NotActivated,
    PreflightFailed,
    RolledBack,
)
from castoff.releaser.job import Scope
from castoff.releaser.maintenance import switch
from castoff.releaser.operations.status import look
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history
from castoff.store.deed import Deed
from support.engine import MIGRATE, RESTART, check, go, live
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryChannel, MemoryFleet

# Writes down whether the page is on when a step runs.
SEE = 'test -e "$CASTOFF_ROOT/maintenance" && echo on >> "$CASTOFF_SHARED/seen" || true'


def pages(scope: Scope) -> list[bool]:
    return [os.path.lexists(Path(host.root) / "maintenance") for host in scope.hosts]


def release(scope: Scope, version: str, maintenance: Literal["on", "stay"]) -> None:
    job = replace(resolve(scope, "release", version), maintenance=maintenance)
    run(job, Timeline(Silent()))


def test_all_hosts_are_switched_and_the_history_and_the_status_say_so(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    done = switch(scope, "<h1>soon</h1>", reason="new disks")
    assert done.hosts == 3
    assert pages(scope) == [True] * 3
    assert [host.maintenance for host in look(scope).hosts] == [True] * 3
    switch(scope, None)
    assert pages(scope) == [False] * 3
    deeds = history.everything(scope.store, scope.app, scope.environment_name)
    assert [(d.kind, d.reason) for d in deeds if isinstance(d, Deed)] == [
        ("maintenance off", ""),
        ("maintenance on", "new disks"),
    ]


def test_a_host_that_cannot_be_reached_leaves_all_as_they_are(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    fleet = MemoryFleet(Fault("web2", "connect", before=True, dies=False))
    with pytest.raises(PreflightFailed, match="web2") as caught:
        switch(scope, "page", connect=fleet.connect)
    assert "--except web2" in caught.value.hint
    assert pages(scope) == [False] * 3
    fleet.hang_up()


def test_a_host_that_cannot_be_switched_takes_the_others_back(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    fleet = MemoryFleet(Fault("web3", "maintenance", before=True, dies=False))
    with pytest.raises(NotActivated, match="as before"):
        switch(scope, "page", reason="new disks", connect=fleet.connect)
    assert pages(scope) == [False] * 3
    fleet.hang_up()
    (deed,) = history.everything(scope.store, scope.app, scope.environment_name)
    assert isinstance(deed, Deed)
    assert (deed.kind, deed.reason) == ("maintenance on", "new disks")
    assert deed.trouble.startswith("not every host could be switched; all are as before\n  web3:")


def test_the_page_is_on_from_the_once_steps_until_all_are_healthy(tmp_path: Path) -> None:
    migrate = {**MIGRATE, "command": SEE}
    scope = make_scope(tmp_path, [migrate, check(SEE)])
    release(scope, "1", "on")
    assert live(scope) == ["1"] * 3
    assert pages(scope) == [False] * 3
    seen = [Path(host.root) / "shared" / "seen" for host in scope.hosts]
    assert [path.read_text().split() for path in seen] == [["on", "on"], ["on"], ["on"]]


@pytest.mark.parametrize(("maintenance", "on"), [("on", False), ("stay", True)])
@pytest.mark.parametrize("fails", ["once", "after_activate"])
def test_after_a_failure_the_page_goes_unless_it_is_to_stay(
    tmp_path: Path, maintenance: Literal["on", "stay"], on: bool, fails: str
) -> None:
    scope = make_scope(
        tmp_path, [RESTART, check('test "$CASTOFF_VERSION" != 2', moment=fails)], hosts=2
    )
    go(scope, "release", "1")
    with pytest.raises((NotActivated, RolledBack)):
        release(scope, "2", maintenance)
    assert live(scope) == ["1"] * 2
    assert pages(scope) == [on] * 2


@pytest.mark.parametrize("mend", [resume, abort])
@pytest.mark.parametrize("op", ["run", "activate"])
def test_a_controller_that_died_leaves_the_page_to_who_mends_it(
    tmp_path: Path, mend: object, op: str
) -> None:
    scope = make_scope(tmp_path, [MIGRATE, RESTART], hosts=2)
    go(scope, "release", "1")
    fleet = MemoryFleet(Fault("web1", op, before=False, dies=True))
    job = replace(resolve(scope, "release", "2"), maintenance="on")
    with pytest.raises(ControllerDied):
        run(job, Timeline(Silent()), connect=fleet.connect)
    fleet.hang_up()
    assert pages(scope) == [True] * 2
    assert callable(mend)
    mend(scope, Timeline(Silent()))
    assert live(scope) == ["2" if mend is resume else "1"] * 2
    assert pages(scope) == [False] * 2


def test_a_host_that_cannot_be_brought_back_keeps_its_page(tmp_path: Path) -> None:
    bad = check('test "$CASTOFF_HOST" != web2 || test ! -e "$CASTOFF_SHARED/bad"')
    scope = make_scope(tmp_path, [RESTART, bad])
    go(scope, "release", "1")
    (Path(scope.hosts[1].root) / "shared" / "bad").touch()
    with pytest.raises(Mixed):
        release(scope, "2", "on")
    assert pages(scope) == [False, True, False]


def test_a_host_that_is_away_on_the_way_back_keeps_its_page_and_is_told(tmp_path: Path) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web12')
    scope = make_scope(tmp_path, [RESTART, fails], strategy={"kind": "rolling"})
    go(scope, "release", "1")
    fleet = MemoryFleet()
    timeline = Timeline(Silent())

    def connect(host: ResolvedHost, timeout: float) -> MemoryChannel:
        if host.name == "web3" and timeline.flips:
            raise HostUnreachable(host.name, "no route", code="no-route")
        return fleet.connect(host, timeout)

    job = replace(resolve(scope, "release", "2"), maintenance="on")
    with pytest.raises(Mixed, match="web3: no route") as caught:
        run(job, timeline, connect=connect)
    fleet.hang_up()
    assert "castoff maintenance off" in caught.value.hint
    assert live(scope) == ["1"] * 3
    assert pages(scope) == [False, False, True]
    abort(scope, Timeline(Silent()))
    assert pages(scope) == [False] * 3
    assert look(scope).agrees


def test_hosts_behind_a_page_do_not_agree(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [])
    go(scope, "release", "1")
    switch(scope, "page")
    assert not look(scope).agrees
    switch(scope, None)
    assert look(scope).agrees


def test_a_page_of_the_projects_own_is_read_before_anything_is_done(tmp_path: Path) -> None:
    scope = replace(make_scope(tmp_path, [MIGRATE], maintenance_page="down.html"), base=tmp_path)
    with pytest.raises(ConfigError, match=r"down\.html cannot be read"):
        release(scope, "1", "on")
    assert live(scope) == ["-"] * 3
    (tmp_path / "down.html").write_text("ours")
    release(replace(scope), "1", "stay")
    assert pages(scope) == [False] * 3


def test_a_release_without_it_leaves_a_page_as_it_is(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    switch(scope, "page")
    go(scope, "release", "1")
    assert pages(scope) == [True] * 3
