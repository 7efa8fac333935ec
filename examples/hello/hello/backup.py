"""`hello-backup`: copy the database while it is in use, before a release changes it."""

import os
import sqlite3
from contextlib import closing

from hello import database


def main() -> None:
    """Write `backups/before-VERSION.db` beside the database; nothing if there is none yet."""
    source = database.path()
    if not source.exists():
        print("no database yet: nothing to back up")
        return
    copy = source.parent / "backups" / f"before-{os.environ['CASTOFF_VERSION']}.db"
    copy.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(copy)) as target, closing(database.connect()) as live:
        live.backup(target)
    print(f"backed up to {copy}")
