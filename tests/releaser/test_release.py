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

from castoff.releaser.errors import (
    BatchFailed,
    Mixed,
    NotActivated,
    PrepareFailed,
    RolledBack,
)
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.gate import pass_gate
from castoff.releaser.record import previous_good
from castoff.releaser.release import resolve
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.connect import connector
from castoff.releaser.watch import Silent
from castoff.store import channel, freeze, run_document
from castoff.store.errors import Locked, Untrusted, UsageError
from support.engine import MIGRATE, RESTART, check, go, live, log, outcomes
from support.local_scope import make_scope


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
    with pytest.raises(RolledBack) as caught:
        go(scope, "release", "1")
    assert caught.value.hint.endswith("Migrations that ran stay in place.")
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


def test_the_gates_command_runs_beside_castoff_toml_and_knows_what_is_released(
    tmp_path: Path,
) -> None:
    say = 'echo "$CASTOFF_APP $CASTOFF_ENVIRONMENT $CASTOFF_VERSION" > said'
    scope = make_scope(tmp_path, [RESTART], strategy={"kind": "rolling", "command": say}, hosts=2)
    go(replace(scope, base=tmp_path), "release", "1")
    assert (tmp_path / "said").read_text() == "pages production 1\n"


def test_a_gates_command_that_does_not_end_is_ended_with_all_that_it_started(
    tmp_path: Path,
) -> None:
    command = f"sleep 60 & echo $! > {tmp_path}/child; wait"
    strategy = {"kind": "rolling", "command": command}
    scope = make_scope(tmp_path, [], strategy=strategy, hosts=2)
    job = replace(resolve(scope, "release", "1"), deadline=time.monotonic() + 1)
    fleet = Fleet(connector(scope.hosts), Opening(app=scope.app), environment=scope.environment)
    with pytest.raises(BatchFailed, match="the gate's command did not end in time"):
        pass_gate(job, fleet, Timeline(Silent()), [])
    child = (tmp_path / "child").read_text().strip()
    status = Path(f"/proc/{child}/stat")
    assert not status.exists() or status.read_text().split()[2] == "Z"


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


MARKS = ("preflight", "prepare", "migrate", "in migrate", "in clear", "activate", "in restart")


def sample(*always: str, of: tuple[str, ...]) -> list[Any]:
    """Return parameters of which these are tried always, and the others in sweeps."""
    return [pytest.param(one, marks=() if one in always else pytest.mark.sweep) for one in of]


@pytest.mark.parametrize(
    "mark", sample("prepare", "in clear", "activate", "record", of=(*MARKS, "record"))
)
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


@pytest.mark.parametrize("mark", sample("preflight", "in migrate", "in restart", of=MARKS))
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
