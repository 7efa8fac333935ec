"""What somebody who waits for an app is told meanwhile."""

from __future__ import annotations

import re
from typing import Any

import pytest

from castoff.releaser.agent import health
from castoff.releaser.agent.errors import AgentError
from castoff.releaser.agent.health import until_healthy
from castoff.releaser.agent.parameters import Parameters


class Listener:
    """A channel that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def check(self, wait: float = 0) -> None:
        pass

    def event(self, kind: str, until: float, **content: Any) -> None:
        assert kind == "output"
        assert until > 0
        self.said.append(content["text"])


def asked(answers: list[str | None], *, limit: float = 60.0) -> list[str]:
    listener, left = Listener(), iter(answers)
    options = Parameters({"successes": 1, "interval": 0.001})
    until_healthy(listener, "it", lambda _: next(left), options, limit=limit)  # type: ignore[arg-type]
    return listener.said


def test_each_thing_that_is_wrong_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PATIENCE", 0.0)
    said = asked(["refused", "refused", "status 500 instead of 200", None])
    assert [re.sub("[0-9]+ s more", "N s more", text) for text in said] == [
        "not healthy yet: refused; asked for N s more\n",
        "not healthy yet: status 500 instead of 200; asked for N s more\n",
    ]


def test_an_app_that_is_soon_there_is_not_spoken_of() -> None:
    assert asked(["refused", "refused", None]) == []


def test_the_end_says_where_to_look() -> None:
    with pytest.raises(AgentError) as caught:
        asked(["refused"], limit=0.0)
    assert "castoff logs" in caught.value.hint
