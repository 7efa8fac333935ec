"""Hosts are told how a file table differs from one that they have, or else all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.job import Scope
from castoff.releaser.session import AgentSession
from support.engine import RESTART, go, live
from support.local_scope import make_scope


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Return, for each `prepare` that is asked, how the table was told and from which release."""
    heard: list[tuple[str, str | None]] = []
    real = AgentSession.ask

    def ask(self: AgentSession, kind: Any, op: str, asked: Any, **parameters: Any) -> Any:
        if op == "prepare":
            form = "delta" if "table_delta" in parameters else "whole"
            heard.append((form, parameters.get("table_base")))
        return real(self, kind, op, asked, **parameters)

    monkeypatch.setattr(AgentSession, "ask", ask)
    return heard


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    return make_scope(tmp_path, [RESTART], hosts=1)


def test_a_host_is_told_what_differs_from_what_it_serves(
    scope: Scope, told: list[tuple[str, str | None]]
) -> None:
    go(scope, "release", "1")
    go(scope, "release", "2")
    go(scope, "rollback", "1")
    assert told == [("whole", None), ("delta", "1"), ("delta", "1")]
    assert live(scope) == ["1"]


def test_a_host_whose_record_is_damaged_is_told_all(
    scope: Scope, told: list[tuple[str, str | None]], tmp_path: Path
) -> None:
    go(scope, "release", "1")
    record = tmp_path / "hosts/web1/.castoff/releases/1.table.json"
    record.write_bytes(record.read_bytes().replace(b'["app"]', b'["apx"]'))
    go(scope, "release", "2")
    assert told[1:] == [("delta", "1"), ("whole", None)]
    assert live(scope) == ["2"]


def test_a_release_that_the_store_no_longer_has_is_nothing_to_start_from(
    scope: Scope, told: list[tuple[str, str | None]], tmp_path: Path
) -> None:
    go(scope, "release", "1")
    (gone,) = (tmp_path / "store").glob("*/artifacts/1/manifest.json")
    gone.unlink()
    go(scope, "release", "2")
    assert told[1:] == [("whole", None)]
    assert live(scope) == ["2"]
