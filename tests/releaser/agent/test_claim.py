"""A run's own earlier connection, whose end never came, holds its host up no longer."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import Artifact

CLAIM = "0123456789abcdef web1"


def opened(client: AgentClient, root: Path, claim: str) -> None:
    """Open the app with the lock, as a controller does that tries again while it is busy."""
    until = time.monotonic() + 60
    while (refusal := refused(client, root, claim)) is not None:
        assert refusal.code == "busy"
        assert refusal.message.startswith("another release is at work")
        assert CLAIM not in refusal.message
        assert time.monotonic() < until
        time.sleep(0.05)


def refused(client: AgentClient, root: Path, claim: str) -> AgentFailure | None:
    """Try to open the app; return why not."""
    try:
        client.ask("open", **open_request(root), claim=claim)
    except AgentFailure as failure:
        return failure
    return None


def test_one_that_waits_for_its_controller_leaves_at_once(root: Path) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM)
        opened(second, root, CLAIM)
        assert first.process.wait(60) == 0
        assert second.ask("prune", keep=2, never=[])["removed"] == []


def test_one_that_is_at_work_ends_that_first(root: Path, shop: Artifact) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM)
        first.ask("prepare", **shop.request(), archive=shop.archive)
        step = {"version": "1.0", "name": "s", "env": {}, "timeout": 60}
        command = f"echo begun; sleep 1; touch {root}/ended"
        first.post("run", command=command, **step)
        first.read()
        opened(second, root, CLAIM)
        assert (root / "ended").exists()
        assert first.process.wait(60) == 0


def test_one_that_waits_for_bytes_leaves_too(root: Path, shop: Artifact) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM)
        first.post("prepare", **shop.request())
        while first.read().get("event") != "want":
            pass
        opened(second, root, CLAIM)
        assert first.process.wait(60) == 0


@pytest.mark.parametrize("claim", ["fedcba9876543210 web1", "", None])
def test_anybody_elses_stays(root: Path, claim: str | None) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM)
        with pytest.raises(AgentFailure, match="another release"):
            second.ask("open", **open_request(root), claim=claim)
        time.sleep(0.2)
        assert first.ask("prune", keep=2, never=[])["removed"] == []
        assert first.process.poll() is None
