"""Versions with migrations for hosts of one process, and a database that counts its runs."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from castoff.releaser.job import Scope
from castoff.store.artifacts import push
from castoff.store.migrations import AppMigrations, Effect, MigrationNote
from support.local_scope import APP, make_scope
from support.written_artifact import write_artifact

REMOVES = Effect(what="RemoveField item.name", sure=True, to="shop.0001")
# The project's own tool, over a real database: it counts each run that began, and notes how far the
# schema is in one transaction with the work.
_TOOL = """\
import os, sqlite3, sys
from pathlib import Path

here = Path(__file__).parent
base = sqlite3.connect(here / "base.sqlite3", timeout=30)
for table in ("runs (host)", "done (version)", "downs (what)"):
    base.execute(f"CREATE TABLE IF NOT EXISTS {table}")
version, act = os.environ["CASTOFF_VERSION"], sys.argv[1]
if act == "up":
    with base:
        base.execute("INSERT INTO runs VALUES (?)", [os.environ["CASTOFF_HOST"]])
    with base:
        base.execute("DELETE FROM done")
        base.execute("INSERT INTO done VALUES (?)", [version])
        if (here / "broken").exists():
            sys.exit("ordered to fail")
elif act == "down":
    with base:
        to = os.environ["CASTOFF_TO_VERSION"]
        base.execute("INSERT INTO downs VALUES (?)", [f"{version} to {to}"])
elif (version,) not in base.execute("SELECT version FROM done").fetchall():
    sys.exit(f"{version} is not there yet")
"""


def migrate_step(db: Path, *, asks: bool = False, **more: Any) -> dict[str, Any]:
    """Return a step that migrates an SQLite database in a folder."""
    db.mkdir(exist_ok=True)
    (db / "tool.py").write_text(_TOOL)
    run = f"{sys.executable} -I {db}/tool.py"
    table = {"command": f"{run} up", "down": f"{run} down"}
    if asks:
        table["check"] = f"{run} check"
    return {"name": "migrate", "moment": "once", "migrate": table, **more}


def rows(db: Path, table: str) -> list[str]:
    """Return what a table of the database has, in order."""
    with closing(sqlite3.connect(db / "base.sqlite3")) as base:
        return [row[0] for row in base.execute(f"SELECT * FROM {table} ORDER BY rowid")]


def shop(*names: str, notes: Mapping[str, MigrationNote] | None = None) -> AppMigrations:
    """Return the migrations of an app `shop`."""
    given = notes or {}
    return AppMigrations(
        tool="django",
        app="shop",
        heads=(names[-1],),
        names=names,
        notes=tuple(given[name] for name in names if name in given),
    )


DROPS = {"0002": MigrationNote(name="0002", effects=(REMOVES,))}
STUCK = {"0002": MigrationNote(name="0002", effects=(REMOVES,), irreversible="RunPython")}


def scope_with(
    folder: Path,
    steps: list[dict[str, Any]],
    versions: Mapping[str, AppMigrations],
    **environment: Any,
) -> Scope:
    """Return a scope of local hosts that has these versions beside `1`, `2` and `3`."""
    scope = make_scope(folder, steps, **environment)
    for version, migrations in versions.items():
        made = write_artifact(
            folder / "artifacts", APP, version, {"app/v.txt": version.encode()}, (migrations,)
        )
        push(scope.store, made)
    return scope
