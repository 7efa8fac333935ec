"""Who has to leave a host's lock to whom.

A run's own earlier connection, whose end never came, and a controller whose lease is over, though
it does not know because it sleeps.
"""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import Artifact

CLAIM = "0123456789abcdef web1"
OTHER = "fedcba9876543210 web1"


def opened(client: AgentClient, root: Path, claim: str, *, token: int = 1) -> None:
    """Open the app with the lock, as a controller does that tries again while it is busy."""
    until = time.monotonic() + 60
    while (refusal := refused(client, root, claim, token=token)) is not None:
        assert refusal.code == "busy"
        assert refusal.message.startswith("another release is at work")
        assert CLAIM not in refusal.message
        assert time.monotonic() < until
        time.sleep(0.05)


def refused(
    client: AgentClient, root: Path, claim: str | None, *, token: int = 1
) -> AgentFailure | None:
    """Try to open the app; return why not."""
    try:
        client.ask("open", **open_request(root, token=token), claim=claim)
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


def test_one_whose_lease_another_has_taken_over_leaves(root: Path) -> None:
    with agent() as first, agent() as second, agent() as third:
        opened(first, root, CLAIM, token=7)
        opened(second, root, OTHER, token=8)
        assert first.process.wait(60) == 0
        late = refused(third, root, CLAIM, token=7)
        assert late is not None
        assert late.code == "busy"
        assert second.ask("prune", keep=2, never=[])["removed"] == []


def test_its_step_ends_first(root: Path, shop: Artifact) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM, token=7)
        first.ask("prepare", **shop.request(), archive=shop.archive)
        step = {"version": "1.0", "name": "s", "env": {}, "timeout": 60}
        first.post("run", command=f"echo begun; sleep 1; touch {root}/ended", **step)
        first.read()
        opened(second, root, OTHER, token=8)
        assert (root / "ended").exists()


def test_a_process_that_has_not_got_the_lock_stays(root: Path) -> None:
    with agent() as first, agent() as second, subprocess.Popen(["sleep", "60"]) as other:
        opened(first, root, CLAIM, token=7)
        # As the one before has left it, until the present one has written who it is.
        (lock,) = root.rglob(".castoff/lock")
        lock.write_text(f"ann@desk (agent's process {other.pid})\n{CLAIM}\n7\n")
        assert refused(second, root, CLAIM, token=8) is not None
        # Of two signals the lesser one is heard first.
        other.terminate()
        assert other.wait(60) == -signal.SIGTERM


def test_one_that_wrote_no_token_stays(root: Path) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM)
        (lock,) = root.rglob(".castoff/lock")
        lock.write_text("".join(lock.read_text().splitlines(keepends=True)[:2]))
        refusal = refused(second, root, OTHER, token=99)
        assert refusal is not None
        assert refusal.code == "busy"
        time.sleep(0.2)
        assert first.process.poll() is None


@pytest.mark.parametrize("claim", [OTHER, "", None])
def test_anybody_elses_stays(root: Path, claim: str | None) -> None:
    with agent() as first, agent() as second:
        opened(first, root, CLAIM)
        refusal = refused(second, root, claim)
        assert refusal is not None
        assert refusal.message.startswith("another release")
        time.sleep(0.2)
        assert first.ask("prune", keep=2, never=[])["removed"] == []
        assert first.process.poll() is None
