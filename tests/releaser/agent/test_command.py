"""Commands of steps, followed from within the agent."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from castoff.releaser.agent import command
from castoff.releaser.agent.messages import Channel


def test_nothing_is_waited_for_once_a_command_has_ended_and_was_heard_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its moments are those of the downtime: a step that restarts a server is such a command.
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=time.monotonic, sleep=slept.append)
    monkeypatch.setattr(command, "time", clock)
    with Path(os.devnull).open("r+b", buffering=0) as null:
        status = command.run_command(
            Channel(null, null.fileno()),
            "exec >&- 2>&-; sleep 0.05; exit 3",
            folder=str(tmp_path),
            environment={"PATH": os.defpath},
            limit=20.0,
        )
    assert status == 3
    assert slept == []
