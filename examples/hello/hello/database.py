"""The one database that all hosts use; SQLite stands for the server that yours would be."""

import contextlib
import os
import sqlite3
from pathlib import Path

BUSY_TIMEOUT = 10.0


def path() -> Path:
    """Return the database's file; `HELLO_DATABASE` may name other variables, as `$HOME` does."""
    named = os.environ.get("HELLO_DATABASE", "$CASTOFF_SHARED/hello.db")
    return Path(os.path.normpath(os.path.expandvars(named)))


def connect() -> sqlite3.Connection:
    """Return a connection that commits by itself."""
    return sqlite3.connect(path(), timeout=BUSY_TIMEOUT, isolation_level=None)


def row(query: str) -> tuple:
    """Return the first row of a query."""
    with contextlib.closing(connect()) as connection:
        return connection.execute(query).fetchone()
