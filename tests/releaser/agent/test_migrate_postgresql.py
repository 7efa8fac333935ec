"""Real Django and Alembic on a real PostgreSQL: once, whatever is killed, and back again."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import make_artifact
from support.migrating_postgresql import (
    ALEMBIC,
    ALEMBIC_MORE,
    DJANGO,
    DJANGO_MORE,
    files_of,
    gated,
)
from support.postgres import Postgres
from support.traps import wait_until

_CASES: dict[str, tuple[dict[str, Any], tuple[dict[str, str], ...], tuple[str, str, str]]] = {
    "django": (
        {"preset": "django", "databases": ["default"]},
        (DJANGO, DJANGO_MORE),
        ("shop", "0001_runs", "shop.0002_more"),
    ),
    "alembic": (
        {"preset": "alembic", "config": "app/alembic.ini"},
        (ALEMBIC, ALEMBIC_MORE),
        ("app/revisions", "aa1", "v2.0.a"),
    ),
}


def prepare(client: AgentClient, version: str, project: dict[str, str]) -> None:
    artifact = make_artifact(version, files_of(project))
    client.ask("prepare", archive=artifact.archive, **artifact.request())
    client.ask("load", modules=built_ins())


@pytest.mark.parametrize("preset", ["django", pytest.param("alembic", marks=pytest.mark.sweep)])
def test_a_version_migrates_once_whatever_is_killed_and_goes_back(
    root: Path, postgres: Postgres, preset: str
) -> None:
    options, (first, more), (app, stays, goes) = _CASES[preset]
    env = postgres.fresh()
    database = env["PGDATABASE"]
    gated(postgres, env)
    postgres.sql("INSERT INTO gate DEFAULT VALUES", database)
    held = f"FROM pg_stat_activity WHERE datname = '{database}' AND query LIKE 'DO %gate%'"

    def request(version: str, attempt: str, **also: Any) -> dict[str, Any]:
        return {
            "what": "migrate",
            "version": version,
            "name": "migrate",
            "options": {**options, "attempt": attempt, **also},
            "env": env,
            "user": None,
            "timeout": 60,
        }

    def runs() -> list[str]:
        return postgres.sql("SELECT what FROM runs ORDER BY what", database).splitlines()

    def begin(client: AgentClient, attempt: str) -> None:
        client.post("built_in", **request("1.0", attempt))
        wait_until(lambda: postgres.sql(f"SELECT count(*) {held}") == "1", otherwise="not begun")

    with agent(root) as client:
        prepare(client, "1.0", first)
        # Its session dies: nothing of it stays, so that it can run again.
        begin(client, "a0")
        postgres.sql(f"SELECT pg_terminate_backend(pid) {held}")
        with pytest.raises(AgentFailure) as failed:
            client.answer()
        assert failed.value.code == "step-failed"
        assert postgres.sql("SELECT to_regclass('runs')", database) == ""
        # Its agent dies: it goes on, and whoever comes next waits for it and then finds it done.
        begin(client, "a1")
        client.process.send_signal(signal.SIGKILL)
        client.process.wait()
    with agent(root) as client:
        client.ask("load", modules=built_ins())
        waits = []

        def let_go(event: dict[str, Any]) -> None:
            if "waiting for a migration" in event.get("text", ""):
                waits.append(event)
                postgres.sql("DELETE FROM gate", database)

        client.on_event = let_go
        again = request("1.0", "a2", after="a1", ask_first=True)
        assert (client.ask("built_in", **again)["ran"], len(waits), runs()) == (False, 1, ["1"])

        prepare(client, "2.0", {**first, **more})
        assert client.ask("built_in", **request("2.0", "b1"))["ran"] is True
        assert runs() == ["1", "2"]
        down = {"version": "1.0", "targets": [{"app": app, "name": stays}], "gone": [goes]}
        client.ask("built_in", **request("2.0", "b2", take_back=down))
        assert runs() == ["1"]
