"""The engine on real agents, without SSH: local hosts, a folder as store, hand-made versions."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import (
    HostUnreachable,
    Mixed,
    NotActivated,
    PreflightFailed,
    PrepareFailed,
    RolledBack,
)
from castoff.releaser.job import Kind, Scope
from castoff.releaser.record import previous_good
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import abort, resume
from castoff.releaser.session import AgentSession
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import channel, freeze, history, run_document
from castoff.store.errors import Locked, StoreError, Untrusted, UsageError
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryChannel, MemoryFleet

RESTART = {
    "name": "restart",
    "moment": "activate",
    "command": 'echo "restart $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"',
}
MIGRATE = {
    "name": "migrate",
    "moment": "once",
    "command": 'echo "migrate $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"',
}


def check(condition: str, moment: str = "after_activate", name: str = "check") -> dict[str, Any]:
    """Return a step that fails unless a shell condition holds."""
    return {"name": name, "moment": moment, "command": condition}


def go(scope: Scope, kind: Kind, version: str) -> Timeline:
    timeline = Timeline(Silent())
    run(resolve(scope, kind, version), timeline)
    return timeline


def live(scope: Scope) -> list[str]:
    """Return what each host's link names; `-` for none."""
    links = [Path(host.root) / "current" for host in scope.hosts]
    return [link.readlink().name if link.is_symlink() else "-" for link in links]


def log(scope: Scope, host: int) -> list[str]:
    path = Path(scope.hosts[host].root) / "shared" / "log"
    return path.read_text().splitlines() if path.exists() else []


def outcomes(scope: Scope) -> list[str]:
    entries = history.entries(scope.store, scope.app, scope.environment_name)
    return [f"{entry.kind} {entry.version} {entry.outcome}" for entry in reversed(entries)]


def test_release_and_rollback_follow_the_history(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [MIGRATE, RESTART])
    for version in ("1", "2", "3"):
        go(scope, "release", version)
        assert live(scope) == [version] * 3
    for expected in ("2", "1"):
        version = previous_good(scope) or ""
        assert version == expected
        go(scope, "rollback", version)
        assert live(scope) == [expected] * 3
    assert previous_good(scope) is None
    assert [line for line in log(scope, 0) if "migrate" in line] == [
        "migrate 1",
        "migrate 2",
        "migrate 3",
    ]
    assert [line for line in log(scope, 1) if "migrate" in line] == []


def test_a_first_release_that_fails_leaves_nothing_live(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART, check("false")])
    with pytest.raises(RolledBack):
        go(scope, "release", "1")
    assert live(scope) == ["-"] * 3
    assert channel.read(scope.store, scope.app, scope.environment_name) is None
    assert outcomes(scope) == ["release 1 rolled back"]


def test_a_host_that_cannot_be_brought_back_is_named_as_mixed(tmp_path: Path) -> None:
    fails = check('test "$CASTOFF_HOST" != web2 || test ! -e "$CASTOFF_SHARED/bad"')
    scope = make_scope(tmp_path, [RESTART, fails])
    go(scope, "release", "1")
    (Path(scope.hosts[1].root) / "shared" / "bad").touch()
    with pytest.raises(Mixed, match="web2") as caught:
        go(scope, "release", "2")
    assert "castoff status" in caught.value.hint
    assert outcomes(scope)[-1] == "release 2 mixed"


def test_activate_without_prepare_is_refused_by_every_host(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    with pytest.raises(PrepareFailed) as caught:
        go(scope, "activate", "1")
    assert len(caught.value.failures) == 3
    go(scope, "prepare", "1")
    assert live(scope) == ["-"] * 3
    go(scope, "activate", "1")
    assert live(scope) == ["1"] * 3


def test_hosts_are_flipped_in_batches_and_all_go_back_when_a_later_batch_fails(
    tmp_path: Path,
) -> None:
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web32')
    rolling: dict[str, Any] = {"strategy": {"kind": "rolling", "batch": "1"}}
    scope = make_scope(tmp_path, [RESTART, fails], **rolling)
    timeline = go(scope, "release", "1")
    # The gate checks the hosts that have flipped once more: the first span is the one meant.
    first = {(span.host, span.step): span for span in reversed(timeline.spans)}
    for earlier, later in (("web1", "web2"), ("web2", "web3")):
        assert first[earlier, "check"].ended <= first[later, "flip"].started
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert live(scope) == ["1"] * 3
    assert [log(scope, host) for host in range(3)] == [
        ["restart 1", "restart 2", "restart 1"],
        ["restart 1", "restart 2", "restart 1"],
        ["restart 1", "restart 2", "restart 1"],
    ]


def test_a_canary_that_is_stopped_at_the_gate_never_reaches_the_others(tmp_path: Path) -> None:
    canary: dict[str, Any] = {
        "strategy": {"kind": "canary", "canary": ("web2",), "command": "exit 4"}
    }
    scope = make_scope(tmp_path, [RESTART])
    go(scope, "release", "1")
    gated = make_scope(tmp_path, [RESTART], **canary)
    with pytest.raises(RolledBack, match="status 4"):
        go(gated, "release", "2")
    assert live(scope) == ["1"] * 3
    assert log(scope, 1) == ["restart 1", "restart 2", "restart 1"]
    assert log(scope, 0) == ["restart 1"]


def test_a_host_that_was_drained_is_put_back_when_another_cannot_be(tmp_path: Path) -> None:
    drain = {
        "name": "drain",
        "moment": "before_activate",
        "command": 'echo drain >> "$CASTOFF_SHARED/log"; test "$CASTOFF_HOST" != web3 '
        '|| test "$CASTOFF_VERSION" != 2',
    }
    back = {
        "name": "back",
        "moment": "after_activate",
        "command": 'echo back >> "$CASTOFF_SHARED/log"',
    }
    scope = make_scope(tmp_path, [drain, back])
    go(scope, "release", "1")
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert live(scope) == ["1"] * 3
    assert log(scope, 0) == ["drain", "back", "drain", "back"]


def test_nothing_to_resume_or_abort_says_so(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    for what in (resume, abort):
        with pytest.raises(UsageError, match="nothing was interrupted"):
            what(scope, Timeline(Silent()))


CONTROLLER = """
import sys, pathlib
sys.path.insert(0, {tests!r})
from support.local_scope import make_scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent

class Watch(Silent):
    def phase(self, name):
        print(name, flush=True)
    def output(self, host, step, text):
        print(text, flush=True)

scope = make_scope(pathlib.Path({folder!r}), {steps!r})
run(resolve(scope, "release", "2"), Timeline(Watch()))
"""

PAUSE = 'case "$CASTOFF_VERSION" in 2) sleep 0.3 ;; esac'
PAUSED = [
    {**MIGRATE, "command": f"{MIGRATE['command']}; echo in migrate; {PAUSE}"},
    {"name": "clear", "moment": "once", "command": f"echo in clear; {PAUSE}"},
    {**RESTART, "command": f"{RESTART['command']}; echo in restart; {PAUSE}"},
]


def killed(folder: Path, mark: str) -> None:
    """Run a release of 2 in a process of its own, and kill that when it prints a mark."""
    code = CONTROLLER.format(tests=str(Path(__file__).parents[1]), folder=str(folder), steps=PAUSED)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as controller:
        assert controller.stdout is not None
        for line in controller.stdout:
            if line.strip() == mark:
                break
        else:
            pytest.fail(f"never printed {mark!r}")
        os.kill(controller.pid, signal.SIGKILL)
    time.sleep(0.1)


MARKS = ["preflight", "prepare", "migrate", "in migrate", "in clear", "activate", "in restart"]


@pytest.mark.parametrize("mark", [*MARKS, "record"])
def test_resume_brings_a_run_to_its_end_wherever_its_controller_died(
    tmp_path: Path, mark: str
) -> None:
    scope = make_scope(tmp_path, PAUSED)
    go(scope, "release", "1")
    killed(tmp_path, mark)
    left = resume(scope, Timeline(Silent()))
    assert left.version == "2"
    assert live(scope) == ["2"] * 3
    assert outcomes(scope) == ["release 1 released", "release 2 released"]
    if mark in ("in clear", "activate", "in restart", "record"):
        assert log(scope, 0).count("migrate 2") == 1, "a step that has ended is not run again"
    with pytest.raises(UsageError, match="nothing was interrupted"):
        resume(scope, Timeline(Silent()))


@pytest.mark.parametrize("mark", MARKS)
def test_abort_gives_a_run_up_wherever_its_controller_died(tmp_path: Path, mark: str) -> None:
    scope = make_scope(tmp_path, PAUSED)
    go(scope, "release", "1")
    killed(tmp_path, mark)
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    assert seen is not None
    assert seen[0].over
    assert outcomes(scope)[-1] in ("release 2 failed", "release 2 rolled back")
    go(scope, "release", "3")
    assert live(scope) == ["3"] * 3


def test_a_version_that_is_not_trusted_any_more_can_be_given_up_but_not_brought_on(
    tmp_path: Path,
) -> None:
    scope = make_scope(tmp_path, PAUSED)
    go(scope, "release", "1")
    killed(tmp_path, "in restart")
    wary = replace(scope, signers=tmp_path / "nobody.signers")
    for attempt in (lambda: resume(wary, Timeline(Silent())), lambda: go(wary, "release", "2")):
        with pytest.raises(Untrusted, match="is not signed"):
            attempt()
    abort(wary, Timeline(Silent()))
    assert live(scope) == ["1"] * 3


def test_a_new_release_after_a_controller_died_converges_and_the_history_says_what_died(
    tmp_path: Path,
) -> None:
    scope = make_scope(tmp_path, PAUSED)
    go(scope, "release", "1")
    killed(tmp_path, "in restart")
    go(scope, "release", "3")
    assert live(scope) == ["3"] * 3
    assert outcomes(scope) == [
        "release 1 released",
        "release 2 interrupted",
        "release 3 released",
    ]


def test_resume_wants_the_hosts_that_the_run_was_about(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, PAUSED)
    go(scope, "release", "1")
    killed(tmp_path, "in restart")
    fewer = replace(scope, hosts=scope.hosts[:2])
    with pytest.raises(UsageError, match="web3"):
        resume(fewer, Timeline(Silent()))


def test_a_migration_that_fails_flips_nothing(tmp_path: Path) -> None:
    fails = check('test "$CASTOFF_VERSION" = 1', moment="once", name="migrate")
    scope = make_scope(tmp_path, [fails, RESTART])
    go(scope, "release", "1")
    with pytest.raises(NotActivated, match="'migrate'"):
        go(scope, "release", "2")
    assert live(scope) == ["1"] * 3
    assert log(scope, 0) == ["restart 1"]


def test_a_frozen_environment_takes_no_release(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART])
    place = (scope.store, scope.app, scope.environment_name)
    freeze.put(*place, owner="ann@desk", reason="stocktaking", frozen=True)
    with pytest.raises(Locked, match="stocktaking"):
        go(scope, "release", "1")
    assert live(scope) == ["-"] * 3
    assert outcomes(scope) == []
    freeze.put(*place, owner="ann@desk", reason="", frozen=False)
    go(scope, "release", "1")


def memory(tmp_path: Path, steps: list[dict[str, Any]], **environment: Any) -> Scope:
    """Return a scope whose first version is live, for hosts in memory."""
    scope = make_scope(tmp_path, steps, **environment)
    go(scope, "release", "1")
    return scope


def faulty(scope: Scope, kind: Kind, version: str, *faults: Fault) -> MemoryFleet:
    """Run on hosts in memory, with faults one after the other; return the fleet."""
    fleet = MemoryFleet(fault=faults[0] if faults else None)
    try:
        run(resolve(scope, kind, version), Timeline(Silent()), connect=fleet.connect)
    finally:
        fleet.fault = None
        fleet.hang_up()
    return fleet


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


class Unwritable:
    """A store in which one key cannot be written as long as `broken` is set."""

    def __init__(self, store: Any, part: str) -> None:
        self._store, self._part, self.broken = store, part, True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes) -> str:
        self._check(key)
        return str(self._store.create(key, data))

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        self._check(key)
        return str(self._store.replace(key, data, etag=etag))

    def _check(self, key: str) -> None:
        if self.broken and self._part in key:
            raise StoreError(f"{key}: 503 SlowDown")


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

    monkeypatch.setattr("castoff.releaser.course.go_back", interrupted)
    with pytest.raises(Mixed, match="interrupted while hosts were going back") as caught:
        go(scope, "release", "2")
    assert "castoff abort" in caught.value.hint
    assert live(scope) == ["2"] * 3
    monkeypatch.undo()
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1"] * 3
    assert outcomes(scope)[-2:] == ["release 2 mixed", "release 2 rolled back"]


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
