"""Real Django and Alembic on a real PostgreSQL: once, whatever is killed, and back again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import Content, make_artifact
from support.migrating import django_migration, revision
from support.postgres import Postgres
from support.traps import wait_until

_NEEDED = ("django==5.2.8", "alembic==1.17.2", "sqlalchemy==2.0.44", "psycopg[binary]==3.2.12")
_SETTINGS = """\
import os

SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}
}
"""
_MANAGE = """\
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
"""
_ENV = """\
from alembic import context
from sqlalchemy import create_engine

with create_engine("postgresql+psycopg://").connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
# Held in its transaction as long as there is a gate; a run that ended well has left a row.
_RUNS = "CREATE TABLE runs (what text)"
_HELD = (
    "DO $$ BEGIN WHILE EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP; "
    "INSERT INTO runs VALUES (1); END $$"
)
_MORE, _LESS = "INSERT INTO runs VALUES (2)", "DELETE FROM runs WHERE what = '2'"
_DJANGO = {
    "app/manage.py": _MANAGE,
    "app/settings.py": _SETTINGS,
    "app/shop/__init__.py": "",
    "app/shop/migrations/__init__.py": "",
    "app/shop/migrations/0001_runs.py": django_migration(
        f"migrations.RunSQL({_RUNS!r}), migrations.RunSQL({_HELD!r})"
    ),
}
_DJANGO_MORE = {
    "app/shop/migrations/0002_more.py": django_migration(
        f"migrations.RunSQL({_MORE!r}, {_LESS!r})", (("shop", "0001_runs"),)
    )
}
_ALEMBIC = {
    "app/alembic.ini": "[alembic]\nscript_location = revisions\n",
    "app/revisions/env.py": _ENV,
    "app/revisions/versions/aa1.py": revision(
        "aa1", f"op.execute({_RUNS!r}); op.execute({_HELD!r})"
    ),
}
_ALEMBIC_MORE = {
    "app/revisions/versions/v2.py": revision(
        "v2.0.a", f"op.execute({_MORE!r})", "aa1", downgrade=f"op.execute({_LESS!r})"
    )
}
_CASES: dict[str, tuple[dict[str, Any], tuple[dict[str, str], ...], tuple[str, str, str]]] = {
    "django": (
        {"preset": "django", "databases": ["default"]},
        (_DJANGO, _DJANGO_MORE),
        ("shop", "0001_runs", "shop.0002_more"),
    ),
    "alembic": (
        {"preset": "alembic", "config": "app/alembic.ini"},
        (_ALEMBIC, _ALEMBIC_MORE),
        ("app/revisions", "aa1", "v2.0.a"),
    ),
}


def installed() -> Path:
    """Return a folder of the frameworks, which all runs of tests share."""
    place = Path(os.environ["UV_CACHE_DIR"]).parent / "migrating-postgresql"
    if not place.is_dir():
        place.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=place.parent))
        argv = [
            "uv",
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            sys.executable,
            "--target",
            str(made),
        ]
        subprocess.run([*argv, *_NEEDED], check=True)
        try:
            made.rename(place)
        except OSError:
            # Another worker was quicker.
            shutil.rmtree(made)
    return place


def prepare(client: AgentClient, version: str, files: dict[str, str]) -> None:
    python = f'#!/bin/sh\nPYTHONPATH={installed()} exec {sys.executable} "$@"\n'
    alembic = '#!/bin/sh\nexec "$(dirname "$0")/python" -m alembic "$@"\n'
    whole: dict[str, Content] = {path: text.encode() for path, text in files.items()}
    whole |= {"bin/python": (python.encode(), True), "bin/alembic": (alembic.encode(), True)}
    artifact = make_artifact(version, whole)
    client.ask("prepare", archive=artifact.archive, **artifact.request())
    client.ask("load", modules=built_ins())


@pytest.mark.parametrize("preset", ["django", pytest.param("alembic", marks=pytest.mark.sweep)])
def test_a_version_migrates_once_whatever_is_killed_and_goes_back(
    root: Path, postgres: Postgres, preset: str
) -> None:
    options, (first, more), (app, stays, goes) = _CASES[preset]
    env = postgres.fresh()
    database = env["PGDATABASE"]
    for text in ("CREATE TABLE gate ()", "INSERT INTO gate DEFAULT VALUES"):
        postgres.sql(text, database)
    postgres.sql(f"GRANT SELECT ON gate TO {database}", database)
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
