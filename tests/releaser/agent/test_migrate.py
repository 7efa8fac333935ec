"""Migrations as the agent runs them: one at a time, killed, hung, asked for what is left."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import Artifact
from support.traps import wait_until


@pytest.fixture
def root(root: Path, shop: Artifact) -> Path:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
    return root


def request(command: str, *, timeout: float = 30, **options: Any) -> dict[str, Any]:
    given = {"command": command, "attempt": "a1", **options}
    return {
        "what": "migrate",
        "version": "1.0",
        "name": "migrate",
        "options": given,
        "env": {},
        "user": None,
        "timeout": timeout,
    }


def migrate(client: AgentClient, command: str, **options: Any) -> dict[str, Any]:
    client.ask("load", modules=built_ins())
    return client.ask("built_in", **request(command, **options))


def said(client: AgentClient) -> str:
    return "".join(event.get("text", "") for event in client.events)


def test_it_runs_in_the_release_and_says_what_is_left(root: Path) -> None:
    with agent(root) as client:
        done = migrate(client, "cat app/main.py", check="true")
        assert done["ran"] is True
        assert "shop 1.0" in said(client)
        with pytest.raises(AgentFailure, match="these are left") as failed:
            migrate(client, "true", check="false", attempt="a2")
        assert failed.value.code == "step-failed"


def test_an_attempt_that_ended_well_is_not_run_again(root: Path, tmp_path: Path) -> None:
    count = f"echo run >> {tmp_path}/runs"
    with agent(root) as client:
        migrate(client, count)
    with agent(root) as client:
        assert migrate(client, count)["ran"] is False
        assert migrate(client, count, attempt="a2", after="a1")["ran"] is False
        assert migrate(client, count, attempt="a3", after="never")["ran"] is True
    assert (tmp_path / "runs").read_text() == "run\nrun\n"


def test_what_fails_or_hangs_is_told_and_can_run_again(root: Path, tmp_path: Path) -> None:
    with agent(root) as client:
        with pytest.raises(AgentFailure, match="failed with exit status 3") as failed:
            migrate(client, "exit 3")
        assert failed.value.code == "step-failed"
        with pytest.raises(AgentFailure) as hung:
            migrate(client, f"touch {tmp_path}/begun; exec sleep 60", timeout=0.5)
        assert hung.value.code == "step-timeout"
        assert migrate(client, "true")["ran"] is True


def test_one_whose_agent_was_killed_is_waited_for(root: Path, tmp_path: Path) -> None:
    hold, begun, runs = tmp_path / "hold", tmp_path / "begun", tmp_path / "runs"
    hold.touch()
    slow = f"touch {begun}; while [ -e {hold} ]; do sleep 0.02; done; echo first >> {runs}"
    with agent(root) as client:
        client.ask("load", modules=built_ins())
        client.post("built_in", **request(slow))
        wait_until(begun.exists, otherwise="it never began")
        client.process.send_signal(signal.SIGKILL)
        client.process.wait()
    with agent(root) as client:

        def let_go(event: dict[str, Any]) -> None:
            if "waiting for a migration" in event.get("text", ""):
                assert not runs.exists()
                hold.unlink()

        client.on_event = let_go
        migrate(client, f"echo second >> {runs}", attempt="a2", after="a1", ask_first=True)
    assert runs.read_text() == "first\nsecond\n"
