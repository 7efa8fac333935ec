"""Hosts are told how a file table differs from one that they have, or else all of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from castoff.config.hosts import ResolvedHost
from castoff.releaser.documents import Documents
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Kind, Scope
from castoff.releaser.replies import Opened
from castoff.releaser.session import AgentSession
from castoff.store import artifacts
from castoff.store.backend import Store
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
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the version of each manifest that is read from the store."""
    versions: list[str] = []
    whole = artifacts.fetch_manifest

    def fetch(store: Store, app: str, version: str, **options: Any) -> Any:
        versions.append(version)
        return whole(store, app, version, **options)

    monkeypatch.setattr(artifacts, "fetch_manifest", fetch)
    return versions


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


def test_what_hosts_will_want_is_made_while_they_are_connected_to(
    scope: Scope, told: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    go(scope, "release", "1")
    go(scope, "release", "2")
    made: set[str] = set()
    make, connect = Documents._made, Fleet.open_patiently
    done = threading.Event()

    def making(self: Documents, base: str) -> str | None:
        made.add(base)
        delta = make(self, base)
        done.set()
        return delta

    def connecting(self: Fleet, host: ResolvedHost, **options: Any) -> Opened:
        assert done.wait(20), "or hosts would wait for it"
        return connect(self, host, **options)

    monkeypatch.setattr(Documents, "_made", making)
    monkeypatch.setattr(Fleet, "open_patiently", connecting)
    runs: list[tuple[Kind, str, str]] = [("release", "3", "2"), ("rollback", "2", "2")]
    for kind, version, base in runs:
        made.clear()
        done.clear()
        go(scope, kind, version)
        assert made == {base}
    assert told[2:] == [("delta", "2"), ("delta", "2")]


def test_the_manifest_of_the_version_before_is_read_once(scope: Scope, read: list[str]) -> None:
    go(scope, "release", "1")
    read.clear()
    go(scope, "release", "2")
    assert sorted(read) == ["1", "2"]
