"""Health checks by a command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure, Message
from support.released import Released, released

# Fails at the second of the times that it is asked, and leaves a line each time.
_WELL = (
    'echo "$NAME $PWD" >>"$CASTOFF_SHARED/asked"; test "$(wc -l <"$CASTOFF_SHARED/asked")" -ne 2'
)


@pytest.fixture
def app(root: Path) -> Iterator[Released]:
    with released(root) as app:
        yield app


def check(app: Released, command: str, *, successes: int = 1, **more: Any) -> Message:
    options = {"command": command, "successes": successes, "interval": 0.01}
    return app.perform("check", "2.0", options, **more)


def test_a_command_has_to_succeed_so_often_in_a_row(app: Released) -> None:
    done = check(app, _WELL, successes=2, env={"NAME": "me"})

    assert done["tries"] == 4
    release = app.root / "releases" / "2.0"
    assert (app.root / "shared/asked").read_text() == f"me {release}\n" * 4


@pytest.mark.parametrize(
    ("command", "last"),
    [
        ("echo not yet; exit 3", "it failed with exit status 3"),
        ("sleep 60", "no answer"),
        ("kill -9 $$", "it was ended by SIGKILL"),
    ],
)
def test_one_that_fails_or_hangs_is_unhealthy_when_its_time_is_up(
    command: str, last: str, app: Released
) -> None:
    with pytest.raises(
        AgentFailure, match=rf"step 'step' was not healthy within 0\.3 s .*: {last}"
    ):
        check(app, command, timeout=0.3)
