"""`hello-migrate`: bring the database to what this release's code needs.

Every migration only adds, so that the release before works on with the new tables: both serve
while a release is under way, and the old one again after a rollback.
"""

from importlib.resources import files

from hello import database


def main() -> None:
    """Apply the migrations that the database does not have, each in one transaction."""
    scripts = sorted(
        (script for script in files("hello.migrations").iterdir() if script.name.endswith(".sql")),
        key=lambda script: script.name,
    )
    connection = database.connect()
    applied: int = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, script in enumerate(scripts, start=1):
        if number > applied:
            print(f"applying {script.name}", flush=True)
            statements = script.read_text(encoding="utf-8")
            connection.executescript(f"BEGIN; {statements} PRAGMA user_version = {number}; COMMIT;")
    connection.close()
    print(f"the database is at migration {max(applied, len(scripts))}")
