"""Restarts of programs of a real supervisor, judged by which release then runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent_client import AgentFailure
from support.ports import free_ports
from support.released import Released, again, answer, asking, released, restart_options
from support.supervisor import Supervisor, supervisor
from support.traps import wait_until


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("srv") / "shop"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervisor]:
    with supervisor(tmp_path_factory.mktemp("supervisor")) as running:
        yield running


@pytest.fixture
def app(root: Path, daemon: Supervisor) -> Iterator[Released]:
    with released(root) as app:
        yield app
        daemon.write("")
        daemon.ctl("update")


def programs(app: Released, *ports: int, seconds: float = 0) -> str:
    return "".join(
        f"[program:shop{number}]\ncommand = {app.current}/bin/serve {port}\n"
        f"directory = {app.current}\nstartsecs = {seconds:g}\n"
        for number, port in enumerate(ports)
    )


def table(daemon: Supervisor, *names: str, **more: object) -> dict[str, object]:
    return {"programs": list(names or ("shop0",)), "config": str(daemon.config), **more}


def test_programs_are_restarted_into_the_release_that_is_current(
    app: Released, daemon: Supervisor
) -> None:
    one, two = free_ports(2)
    daemon.write(programs(app, one, two))
    both = table(daemon, "shop0", "shop1")
    # supervisor has not heard of them yet.
    app.restart("1.0", supervisor=both, answers=asking(one))
    app.flip("2.0")
    app.restart("2.0", supervisor=both, answers=asking(two, contains="2.0"))
    assert [answer(one), answer(two)] == ["2.0", "2.0"]


def test_a_signal_that_changes_nothing_is_no_restart(app: Released, daemon: Supervisor) -> None:
    (port,) = free_ports(1)
    daemon.write(programs(app, port))
    app.restart("1.0", supervisor=table(daemon))
    app.flip("2.0")
    with pytest.raises(AgentFailure, match=r"of program shop0 of supervisor still runs from 1\.0"):
        app.restart("2.0", supervisor=table(daemon, signal="CONT"), grace=0.3)
    app.restart("2.0", supervisor=table(daemon), answers=asking(port, contains="2.0"))


@pytest.mark.sweep
def test_one_restarted_twice_in_one_release_is_a_new_process(
    app: Released, daemon: Supervisor
) -> None:
    (port,) = free_ports(1)
    daemon.write(programs(app, port))
    first = app.restart("1.0", supervisor=table(daemon))["processes"]
    second = app.restart("1.0", supervisor=table(daemon))["processes"]
    assert not set(first) & set(second)


def test_a_program_that_does_not_come_up_is_told_with_its_words(
    app: Released, daemon: Supervisor
) -> None:
    daemon.write(
        "[program:shop0]\ncommand = /bin/sh -c 'echo no such database >&2; exit 3'\n"
        "startretries = 0\n"
    )
    with pytest.raises(AgentFailure, match="shop0 is FATAL to supervisor"):
        app.restart("1.0", supervisor=table(daemon))
    assert "no such database" in app.client.output
    with pytest.raises(AgentFailure, match="program nothing of supervisor cannot be found"):
        app.restart("1.0", supervisor=table(daemon, "nothing"))


def test_a_supervisor_that_does_not_answer_is_named(app: Released, tmp_path: Path) -> None:
    there = {"programs": ["shop0"], "server": f"unix://{tmp_path}/nowhere"}
    with pytest.raises(AgentFailure, match=r"cannot be found: .*nowhere"):
        app.restart("1.0", supervisor=there)


@pytest.mark.sweep
def test_a_program_that_hangs_when_it_starts_costs_the_time_limit(
    app: Released, daemon: Supervisor
) -> None:
    (port,) = free_ports(1)
    daemon.write(programs(app, port, seconds=600))
    with pytest.raises(AgentFailure) as caught:
        app.restart("1.0", supervisor=table(daemon), timeout=2)
    assert caught.value.code == "step-timeout"
    daemon.write(programs(app, port))
    app.restart("1.0", supervisor=table(daemon), answers=asking(port))


@pytest.mark.sweep
def test_a_restart_that_was_killed_half_way_is_done_again(
    app: Released, daemon: Supervisor
) -> None:
    (port,) = free_ports(1)
    daemon.write(programs(app, port, seconds=1))
    app.restart("1.0", supervisor=table(daemon))
    app.flip("2.0")
    options = restart_options(supervisor=table(daemon))
    app.client.post("built_in", **app.request("restart", "2.0", options))
    wait_until(lambda: "STARTING" in daemon.ctl("status"), "it is not being restarted")
    app.client.process.kill()
    app.client.wait()
    with again(app):
        app.restart("2.0", supervisor=table(daemon), answers=asking(port, contains="2.0"))
