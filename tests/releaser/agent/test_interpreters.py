"""The agent's main flow under every Python that it promises to run on, where there is one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.agent_client import AgentFailure, Message, agent
from support.archives import Artifact
from support.flaky_http import Answer, flaky_server
from support.interpreters import interpreter


@pytest.mark.parametrize("minor", [8, 9, 10, 11, 12, 13, 14])
def test_a_whole_release_works(minor: int, root: Path, shop: Artifact) -> None:
    python = sys.executable if sys.version_info[1] == minor else interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} on this machine")
    flaky = (Answer(limit=300), Answer())
    with flaky_server(shop.archive, *flaky) as server, agent(root, python=python) as client:
        assert client.greeting["python"].startswith(f"3.{minor}.")
        sources = [{"kind": "url", "url": server.url()}]
        request = shop.request(sources=sources, shared=["app/media/"])
        assert client.ask("prepare", **request)["tree_sha256"] == shop.tree_sha256
        assert client.ask("verify", version="1.0")["tree_sha256"] == shop.tree_sha256
        step: Message = {"version": "1.0", "name": "s", "env": {"A": "ü"}, "timeout": 20}
        client.ask("run", command='echo "$A"', **step)
        assert client.output == "ü\n"
        with pytest.raises(AgentFailure, match="step 's' did not end"):
            client.ask("run", command="sleep 300", **{**step, "timeout": 0.1})
        client.ask("activate", version="1.0", release="r1")
        health: Message = {
            "version": "1.0",
            "status": 200,
            "successes": 2,
            "interval": 0.01,
            "timeout": 20,
        }
        assert client.ask("http", url=server.url(), **health)["tries"] == 2
        client.ask("confirm", version="1.0", release="r1")
        assert client.ask("prune", keep=2, never=[])["removed"] == []
        assert client.ask("state")["state"]["good"] == "1.0"
    assert str((root / "current").readlink()) == "releases/1.0"
