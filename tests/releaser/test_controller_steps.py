"""Steps that run on the machine that releases, one for each host."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.controller_step import Stopped, run_command
from castoff.releaser.errors import RolledBack
from castoff.releaser.job import Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from support.engine import RESTART, check, go, live
from support.limits import cut_short
from support.local_scope import make_scope
from support.processes import has_ended
from support.traps import wait_until


def here(name: str, moment: str, command: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "moment": moment, "command": command, "run_on": "controller", **more}


def beside(folder: Path, *steps: dict[str, Any], hosts: int = 3) -> Scope:
    """Return a scope whose castoff.toml would lie in `folder`."""
    return replace(make_scope(folder, [RESTART, *steps], hosts=hosts), base=folder)


SAY = 'echo "$STEP $CASTOFF_HOST $CASTOFF_ADDRESS $CASTOFF_VERSION" >> said'


def test_it_runs_beside_castoff_toml_once_for_each_host_with_what_steps_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BALANCER_TOKEN", "secret")
    step = here(
        "drain",
        "before_activate",
        'echo "$CASTOFF_HOST $CASTOFF_ENVIRONMENT $CASTOFF_ROOT $BALANCER_TOKEN $MORE" >> said',
        env={"MORE": "more"},
    )
    scope = beside(tmp_path, step)
    go(scope, "release", "1")
    said = sorted((tmp_path / "said").read_text().splitlines())
    assert said == [f"web{n} production {tmp_path}/hosts/web{n} secret more" for n in range(1, 4)]


def test_a_host_that_was_drained_is_put_back_on_the_way_back(tmp_path: Path) -> None:
    drain = here("drain", "before_activate", SAY, env={"STEP": "out"})
    fails = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web22')
    back = here("put-back", "after_activate", SAY, env={"STEP": "in"})
    scope = beside(tmp_path, drain, fails, back, hosts=2)
    go(scope, "release", "1")
    (tmp_path / "said").unlink()
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    said = (tmp_path / "said").read_text().splitlines()
    assert sorted(said[:2]) == ["out web1 web1 2", "out web2 web2 2"]
    assert sorted(said[-2:]) == ["in web1 web1 1", "in web2 web2 1"]
    assert live(scope) == ["1", "1"]


def test_one_that_fails_before_a_flip_leaves_all_as_they_are(tmp_path: Path) -> None:
    step = here("ask", "before_activate", "echo no; exit 3")
    with pytest.raises(RolledBack, match="'ask' ended with status 3 on the machine that"):
        go(beside(tmp_path, step), "release", "1")
    assert not (tmp_path / "hosts/web1/current").is_symlink()


def test_one_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    command = f"sleep 60 & echo $! > {tmp_path}/child; wait"

    def run_for(limit: float) -> None:
        step = here("slow", "before_activate", command, timeout=limit)
        with pytest.raises(RolledBack, match=rf"did not end within {limit:g} s"):
            go(beside(tmp_path / f"{limit}", step, hosts=1), "release", "1")

    cut_short(run_for, tmp_path / "child")
    ends(tmp_path / "child")


def test_one_that_is_interrupted_may_tidy_up_and_is_ended_if_it_does_not(tmp_path: Path) -> None:
    deaf = "sh -c 'trap \"\" TERM; echo $$ > deaf; sleep 60' & "
    polite = 'trap "echo bye > bye; exit 0" TERM; touch begun; while :; do sleep 0.05; done'
    stopped = threading.Event()

    def stop() -> None:
        while not all((tmp_path / name).exists() for name in ("begun", "deaf")):
            time.sleep(0.01)
        stopped.set()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(Stopped):
        run_command(
            deaf + polite,
            folder=tmp_path,
            variables={},
            limit=60,
            say=lambda _: None,
            stopped=stopped,
        )
    thread.join()
    assert (tmp_path / "bye").exists()
    ends(tmp_path / "deaf")


def ends(file: Path) -> None:
    """Return once the process whose number is in a file has ended."""
    wait_until(lambda: has_ended(int(file.read_text())), f"{file.name} still runs")


class Ears(Silent):
    """Keeps what steps print."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []

    def output(self, host: str, step: str, text: str) -> None:
        self.heard.append((host, step, text))


def test_what_it_prints_is_told_for_its_host(tmp_path: Path) -> None:
    step = here("greet", "activate", "echo hello; echo there >&2")
    scope = beside(tmp_path, step, hosts=1)
    ears = Ears()
    run(resolve(scope, "release", "1"), Timeline(ears))
    assert [one for one in ears.heard if one[1] == "greet"] == [
        ("web1", "greet", "hello"),
        ("web1", "greet", "there"),
    ]
