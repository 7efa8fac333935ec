"""Projects that migrate PostgreSQL by Django and by Alembic, and how a release runs these."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.archives import Content
from support.migrating import django_migration, revision
from support.postgres import Postgres

_NEEDED = (
    "django==5.2.8",
    "alembic==1.17.2",
    "flask==3.1.2",
    "flask-migrate==4.1.0",
    "sqlalchemy==2.0.44",
    "psycopg[binary]==3.2.12",
)
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
DJANGO = {
    "app/manage.py": _MANAGE,
    "app/settings.py": _SETTINGS,
    "app/shop/__init__.py": "",
    "app/shop/migrations/__init__.py": "",
    "app/shop/migrations/0001_runs.py": django_migration(
        f"migrations.RunSQL({_RUNS!r}), migrations.RunSQL({_HELD!r})"
    ),
}
DJANGO_MORE = {
    "app/shop/migrations/0002_more.py": django_migration(
        f"migrations.RunSQL({_MORE!r}, {_LESS!r})", (("shop", "0001_runs"),)
    )
}
ALEMBIC = {
    "app/alembic.ini": "[alembic]\nscript_location = revisions\n",
    "app/revisions/env.py": _ENV,
    "app/revisions/versions/aa1.py": revision(
        "aa1", f"op.execute({_RUNS!r}); op.execute({_HELD!r})"
    ),
}
ALEMBIC_MORE = {
    "app/revisions/versions/v2.py": revision(
        "v2.0.a", f"op.execute({_MORE!r})", "aa1", downgrade=f"op.execute({_LESS!r})"
    )
}


def installed() -> Path:
    """Return a folder of the frameworks, which all runs of tests share."""
    place = Path(os.environ["UV_CACHE_DIR"]).parent / "migrating-frameworks"
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


def files_of(project: dict[str, str]) -> dict[str, Content]:
    """Return a project's files, with launchers for what it runs."""
    python = f'#!/bin/sh\nPYTHONPATH={installed()} exec {sys.executable} "$@"\n'
    module = '#!/bin/sh\nexec "$(dirname "$0")/python" -m {} "$@"\n'
    whole: dict[str, Content] = {path: text.encode() for path, text in project.items()}
    return {
        **whole,
        "bin/python": (python.encode(), True),
        "bin/alembic": (module.format("alembic").encode(), True),
        "bin/flask": (module.format("flask").encode(), True),
    }


def gated(postgres: Postgres, env: dict[str, str]) -> None:
    """Make the gate of a database, open."""
    database = env["PGDATABASE"]
    postgres.sql("CREATE TABLE gate ()", database)
    postgres.sql(f"GRANT SELECT ON gate TO {database}", database)
