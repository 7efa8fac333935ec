"""Alembic's revisions: what it says is understood, and its settings may lie anywhere."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.builtins.migrate_alembic import Alembic
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.bundle import built_ins
from support.agent_client import agent
from support.archives import make_artifact
from support.migrating import revision
from support.migrating_postgresql import files_of

_ENV = """\
import os
from alembic import context
from sqlalchemy import create_engine

with create_engine("sqlite:///" + os.environ["DATABASE"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
# Flask-Migrate's own env.py asks the app for its database.
_FLASK_ENV = f"from flask import current_app\n\nassert current_app.name == 'board'\n\n{_ENV}"
_BOARD = """\
from flask import Flask
from flask_migrate import Migrate


def create_app():
    app = Flask("board")
    Migrate(app, db=object())
    return app
"""
_MADE = revision("aa1", "op.create_table('made', sa.Column('n', sa.Integer))")
_MORE = revision(
    "bb2",
    "op.create_table('more', sa.Column('n', sa.Integer))",
    "aa1",
    downgrade="op.drop_table('more')",
)
_PROJECTS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "flask-migrate": (
        {"app": "app/board.py", "directory": "app/migrations"},
        {
            "app/board.py": _BOARD,
            "app/migrations/alembic.ini": "[alembic]\n",
            "app/migrations/env.py": _FLASK_ENV,
        },
        "app/migrations",
    ),
    "alembic": (
        {"config": "app/shop/db/alembic.ini"},
        {
            "app/shop/db/alembic.ini": "[alembic]\nscript_location = shop/db\n",
            "app/shop/db/env.py": _ENV,
        },
        "app/shop/db",
    ),
}


class Said:
    """A shell in which Alembic says what it is to say."""

    name = "migrate"

    def __init__(self, folder: Path, **said: str) -> None:
        self.folder = str(folder)
        self._said = said
        self.asked = ""

    def ask(self, command: str) -> str:
        self.asked = command
        return self._said[command.rpartition(" ")[2]]


@pytest.mark.parametrize(
    ("heads", "current", "left"),
    [
        ("bb2 (head)\n", "aa1\n", ["bb2"]),
        ("bb2 (head)\n", "bb2 (head)\n", []),
        ("v3.2.0.a (head)\n", "v3.0.0.d\n", ["v3.2.0.a"]),
        ("v3.2.0.a (shop) (head)\n", "v3.2.0.a (head)\n", []),
        ("a.1 (one) (head)\nb.1 (two) (effective head)\n", "a.1 (head)\n", []),
        ("2026.11 (head)\n", "", ["2026.11"]),
    ],
)
def test_what_is_left_is_known(tmp_path: Path, heads: str, current: str, left: list[str]) -> None:
    (tmp_path / "alembic.ini").touch()
    shell: Any = Said(tmp_path, heads=heads, current=current)
    assert Alembic(Parameters({"config": "alembic.ini"}), shell).left() == left


@pytest.mark.parametrize(
    ("config", "script", "runs"),
    [
        ("app/alembic.ini", "db", "app alembic.ini"),
        ("app/shop/db/alembic.ini", "shop/db", "app shop/db/alembic.ini"),
        ("app/shop/db/alembic.ini", "%(here)s/db", "app/shop/db alembic.ini"),
        ("app/shop/alembic.ini", "shop:db", "app/shop alembic.ini"),
        ("app/shop/alembic.ini", "nowhere", "app/shop alembic.ini"),
    ],
)
def test_it_runs_where_its_settings_start_at(
    tmp_path: Path, config: str, script: str, runs: str
) -> None:
    (tmp_path / "app/shop/db").mkdir(parents=True)
    (tmp_path / config).write_text(f"[alembic]\nscript_location = {script}\n")
    shell: Any = Said(tmp_path, heads="", current="")
    Alembic(Parameters({"config": config}), shell).left()
    folder, settings = runs.split()
    assert shell.asked == f"cd {tmp_path}/{folder} && {tmp_path}/bin/alembic -c {settings} current"


@pytest.mark.parametrize(
    "preset", ["flask-migrate", pytest.param("alembic", marks=pytest.mark.sweep)]
)
def test_a_real_one_migrates_and_takes_back(root: Path, tmp_path: Path, preset: str) -> None:
    more, files, place = _PROJECTS[preset]
    database = tmp_path / "database"

    def migrate(attempt: str, **also: Any) -> dict[str, Any]:
        return client.ask(
            "built_in",
            what="migrate",
            version="2.0",
            name="migrate",
            options={"preset": preset, **more, "attempt": attempt, **also},
            env={"DATABASE": str(database)},
            user=None,
            timeout=60,
        )

    def tables() -> set[str]:
        with closing(sqlite3.connect(database)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in rows} - {"alembic_version"}

    with agent(root) as client:
        revisions = {"aa1": _MADE, "bb2": _MORE}
        own = {f"{place}/versions/{name}.py": text for name, text in revisions.items()}
        artifact = make_artifact("2.0", files_of({**files, **own}))
        client.ask("prepare", archive=artifact.archive, **artifact.request())
        client.ask("load", modules=built_ins())
        assert migrate("b1")["ran"] is True
        assert tables() == {"made", "more"}
        down = {"version": "1.0", "targets": [{"app": place, "name": "aa1"}], "gone": ["bb2"]}
        migrate("b2", take_back=down)
        assert tables() == {"made"}
