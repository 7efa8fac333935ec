"""A database of SQLite on a local host, and the step that backs it up."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def back_up_step(**changes: Any) -> dict[str, Any]:
    """Return the step `db`; `backup` changes its table, all else the step."""
    more = changes.pop("backup", {})
    table = {"kind": "sqlite", "database": "shop.db", **more}
    return {"name": "db", "moment": "backup", "backup": table, **changes}


def database(folder: Path, host: str = "web1") -> Path:
    """Return where it lies."""
    return folder / "hosts" / host / "shared" / "shop.db"


def write(folder: Path, *names: str) -> None:
    """Add rows, making the table if need be."""
    path = database(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS goods (name TEXT)")
        connection.executemany("INSERT INTO goods VALUES (?)", [(name,) for name in names])


def names(folder: Path) -> list[str]:
    """Return the rows."""
    with closing(sqlite3.connect(database(folder))) as connection:
        return [row[0] for row in connection.execute("SELECT name FROM goods")]
