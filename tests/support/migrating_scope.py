"""Versions with migrations on hosts in memory: a database that is a folder, and counts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from castoff.releaser.job import Scope
from castoff.store.artifacts import push
from castoff.store.migrations import AppMigrations, Effect, MigrationNote
from support.local_scope import APP, make_scope
from support.written_artifact import write_artifact

REMOVES = Effect(what="RemoveField item.name", sure=True, to="shop.0001")
# What is migrated to stands in `done`; every run that began is a line of `runs`.
UP = (
    'echo "$CASTOFF_HOST" >> "{db}/runs"; sleep "${{SLEEP:-0}}"; '
    'test ! -e "{db}/broken" || exit 1; echo "$CASTOFF_VERSION" > "{db}/done"'
)
ASK = 'test "$(cat "{db}/done" 2>/dev/null)" = "$CASTOFF_VERSION"'
DOWN = 'echo "$CASTOFF_VERSION to $CASTOFF_TO_VERSION" >> "{db}/downs"'


def migrate_step(db: Path, *, asks: bool = False, **more: Any) -> dict[str, Any]:
    """Return a step that migrates a database in a folder."""
    db.mkdir(exist_ok=True)
    table = {"command": UP.format(db=db), "down": DOWN.format(db=db)}
    if asks:
        table["check"] = ASK.format(db=db)
    return {"name": "migrate", "moment": "once", "migrate": table, **more}


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


def lines(db: Path, name: str) -> list[str]:
    """Return the lines of one of the database's files."""
    path = db / name
    return path.read_text().splitlines() if path.exists() else []
