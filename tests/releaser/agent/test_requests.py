from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure, agent

CHANGING = ["prepare", "run", "http", "activate", "confirm", "prune"]


@pytest.mark.parametrize("line", [b"not json\n", b"[1]\n", b'"text"\n', b"\xff\xfe\n", b"\n"])
def test_a_line_that_is_no_request_is_refused_and_the_agent_goes_on(line: bytes) -> None:
    with agent() as client:
        client.write(line)
        assert client.read()["error"]["code"] == "invalid"
        with pytest.raises(AgentFailure, match="unknown operation"):
            client.ask("dance")


@pytest.mark.parametrize("op", [*CHANGING, "state", "verify"])
def test_every_operation_needs_open_first(op: str) -> None:
    with agent() as client, pytest.raises(AgentFailure, match="needs an app that was opened"):
        client.ask(op)


@pytest.mark.parametrize("op", [op for op in CHANGING if op != "run"])
def test_readers_may_not_change_anything(op: str, root: Path) -> None:
    with agent(root, lock=False) as client, pytest.raises(AgentFailure, match="needs the host's"):
        client.ask(op)
    assert not root.exists()


@pytest.mark.parametrize(
    ("op", "parameters"),
    [
        ("prepare", {"version": "../../etc"}),
        ("prepare", {"version": 7}),
        ("prepare", {}),
        ("prepare", {"version": "1.0", "manifest": "{}"}),
        ("prepare", {"version": "1.0", "manifest": "[]"}),
        ("prepare", {"version": "1.0", "manifest": '{"schema": 2}'}),
        ("run", {"version": "1.0", "name": "x", "command": "a\0b", "timeout": 1, "env": {}}),
        ("run", {"version": "1.0", "name": "x", "command": "true", "timeout": "1", "env": {}}),
        ("run", {"version": "1.0", "name": "x", "command": "true", "timeout": -1, "env": {}}),
        ("activate", {"version": "a/b", "release": "r"}),
        ("activate", {"version": None}),
        ("confirm", {"version": None, "release": "r"}),
        ("prune", {"keep": -1, "never": []}),
        ("prune", {"keep": True, "never": []}),
        ("prune", {"keep": 1, "never": "1.0"}),
        ("http", {"url": "ftp://127.0.0.1/"}),
        ("http", {"url": "http://a b/"}),
        ("http", {"url": "http://[::1"}),
    ],
)
def test_parameters_that_do_not_fit_are_named_and_refused(
    op: str, parameters: dict[str, Any], root: Path
) -> None:
    with agent(root) as client:
        with pytest.raises(AgentFailure) as caught:
            client.ask(op, **parameters)
        assert caught.value.code == "invalid"
        assert client.ask("state")["state"]["releases"] == []


def test_variables_of_a_step_must_be_texts(root: Path) -> None:
    from support.archives import make_artifact

    release = make_artifact("1.0", {"f": b"x"})
    with agent(root) as client:
        client.ask("prepare", archive=release.archive, **release.request())
        wrong: list[Any] = [{"A": 1}, {"A=B": "x"}, {"": "x"}, {"A": "x\0y"}, []]
        for env in wrong:
            with pytest.raises(AgentFailure) as caught:
                client.ask("run", version="1.0", name="s", command="true", timeout=5, env=env)
            assert caught.value.code == "invalid"
