"""What the engine does when hosts, the store, the terminal or itself fail at the worst moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import (
    HostUnreachable,
    Mixed,
    PreflightFailed,
    RolledBack,
)
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import abort, resume
from castoff.releaser.session import AgentSession
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import channel, freeze, run_document
from castoff.store.errors import StoreError
from castoff.store.file import FileStore
from support.engine import RESTART, Ears, check, faulty, go, live, memory, outcomes
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryChannel, MemoryFleet
from support.unwritable import Unwritable


def test_a_resume_that_fails_early_forgets_nothing(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", "activate", before=True, dies=True))
    assert "2" in live(scope)
    fleet = MemoryFleet(fault=Fault("web3", "connect", before=True, dies=False))
    with pytest.raises(PreflightFailed):
        resume(scope, Timeline(Silent()), connect=fleet.connect)
    fleet.hang_up()
    fleet.fault = Fault("web1", "prepare", before=True, dies=True)
    with pytest.raises(ControllerDied):
        resume(scope, Timeline(Silent()), connect=fleet.connect)
    fleet.fault = None
    fleet.hang_up()
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3


def test_a_new_run_over_an_unfinished_one_that_fails_early_can_still_be_aborted(
    tmp_path: Path,
) -> None:
    scope = memory(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", "activate", before=True, dies=True))
    with pytest.raises(PreflightFailed):
        faulty(scope, "release", "3", Fault("web3", "connect", before=True, dies=False))
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3
    go(scope, "release", "3")
    assert live(scope) == ["3"] * 3


@pytest.mark.parametrize("part", ["channel.json", "history/"])
def test_what_is_live_but_not_on_record_says_so_and_resume_puts_it_there(
    tmp_path: Path, part: str
) -> None:
    scope = memory(tmp_path, [RESTART])
    store = Unwritable(scope.store, part)
    broken = replace(scope, store=store)
    with pytest.raises(StoreError, match=r"2 is (live|released).*503 SlowDown") as caught:
        go(broken, "release", "2")
    assert "castoff resume" in caught.value.hint
    assert live(scope) == ["2"] * 3
    store.broken = False
    resume(broken, Timeline(Silent()))
    seen = channel.read(scope.store, scope.app, scope.environment_name)
    assert seen is not None
    assert seen[0].current == "2"
    assert outcomes(scope)[-1] == "release 2 released"
    failing = make_scope(tmp_path, [RESTART, check('test "$CASTOFF_VERSION" != 3')])
    with pytest.raises(RolledBack):
        go(failing, "release", "3")
    assert live(scope) == ["2"] * 3, "what was healthy is what hosts come back to"


def test_a_lost_confirmation_is_asked_for_again(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    faulty(scope, "release", "2", Fault("web2", "confirm", before=True, dies=False))
    failing = make_scope(tmp_path, [RESTART, check('test "$CASTOFF_VERSION" != 3')])
    with pytest.raises(RolledBack):
        go(failing, "release", "3")
    assert live(scope) == ["2"] * 3


class Broken(Silent):
    """A watch whose terminal is gone, or that has a fault, once a host has flipped."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        del host, seconds, error
        if step == "restart":
            raise self._error


def test_a_terminal_that_is_gone_does_not_stop_a_release(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    run(resolve(scope, "release", "2"), Timeline(Broken(BrokenPipeError())))
    assert live(scope) == ["2"] * 3


def test_a_defect_past_the_barrier_takes_every_host_back(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    with pytest.raises((Mixed, RolledBack)):
        run(resolve(scope, "release", "2"), Timeline(Broken(ZeroDivisionError("ours"))))
    assert set(live(scope)) == {"1"}


def test_a_host_that_was_never_touched_does_not_make_a_rollback_mixed(tmp_path: Path) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web12')
    scope = memory(tmp_path, [RESTART, fails], strategy={"kind": "rolling"})
    fleet = MemoryFleet()
    timeline = Timeline(Silent())

    def connect(host: ResolvedHost, timeout: float) -> MemoryChannel:
        if host.name == "web3" and timeline.flips:
            raise HostUnreachable(host.name, "no route", code="no-route")
        return fleet.connect(host, timeout)

    with pytest.raises(RolledBack):
        run(resolve(scope, "release", "2"), timeline, connect=connect)
    fleet.hang_up()
    assert live(scope) == ["1"] * 3


def test_a_frozen_environment_can_still_be_aborted(tmp_path: Path) -> None:
    scope = memory(tmp_path, [RESTART])
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "2", Fault("web2", "activate", before=True, dies=True))
    place = (scope.store, scope.app, scope.environment_name)
    freeze.put(*place, owner="ann@desk", reason="incident", frozen=True)
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3


def test_an_interrupt_on_the_way_back_is_mixed_and_abort_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = memory(tmp_path, [RESTART, check('test "$CASTOFF_VERSION" != 2')])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("castoff.releaser.phases.go_back", interrupted)
    with pytest.raises(Mixed, match="interrupted while hosts were going back") as caught:
        go(scope, "release", "2")
    assert "castoff abort" in caught.value.hint
    assert live(scope) == ["2"] * 3
    monkeypatch.undo()
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3
    assert outcomes(scope)[-2:] == ["release 2 mixed", "release 2 rolled back"]


def test_an_interrupt_while_old_releases_leave_does_not_undo_the_word_that_it_is_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = memory(tmp_path, [RESTART])

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("castoff.releaser.release.prune", interrupted)
    ears = Ears()
    run(resolve(scope, "release", "2"), Timeline(ears))
    assert any("interrupted while old releases" in text for text in ears.notes)
    assert outcomes(scope)[-1] == "release 2 released"
    monkeypatch.undo()
    go(scope, "release", "3")


def test_an_interrupt_while_the_history_is_written_says_that_the_version_is_live(
    tmp_path: Path,
) -> None:
    scope = memory(tmp_path, [RESTART])
    store = Unwritable(scope.store, "history/", error=KeyboardInterrupt())
    with pytest.raises(StoreError, match=r"2 is released, but.*: interrupted") as caught:
        go(replace(scope, store=store), "release", "2")
    assert "castoff resume" in caught.value.hint
    resume(scope, Timeline(Silent()))
    assert outcomes(scope)[-1] == "release 2 released"


def test_going_back_needs_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scope = memory(tmp_path, [RESTART, check('test "$CASTOFF_VERSION" != 2')])
    asked: list[int] = []
    whole = AgentSession.ask

    def ask(self: AgentSession, kind: Any, op: str, about: Any, **more: Any) -> Any:
        if op == "open":
            asked.append(int(more["need"]))
        return whole(self, kind, op, about, **more)

    monkeypatch.setattr(AgentSession, "ask", ask)
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert all(asked[:3])
    assert asked[3:] == [0, 0, 0]
    asked.clear()
    go(scope, "rollback", "1")
    assert asked == [0, 0, 0]


def test_an_interrupt_amid_a_write_to_the_store_does_not_look_like_another_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = memory(tmp_path, [RESTART])
    honest = FileStore.replace

    def interrupted(store: FileStore, key: str, data: bytes, *, etag: str) -> str:
        written = honest(store, key, data, etag=etag)
        if key.endswith("run.json") and b'"restart"' in data:
            monkeypatch.setattr(FileStore, "replace", honest)
            raise KeyboardInterrupt
        return written

    monkeypatch.setattr(FileStore, "replace", interrupted)
    with pytest.raises(RolledBack):
        faulty(scope, "release", "2")
    assert live(scope) == ["1"] * 3
    assert outcomes(scope)[-1] == "release 2 rolled back"
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    assert seen is not None
    assert seen[0].over
