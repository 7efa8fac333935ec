"""What kind of project stands in a folder, and what a release of it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from castoff.config.scaffold.declared import Declared, read_declared
from castoff.config.scaffold.entry import FRAMEWORKS, Entry, find_entry, find_module
from castoff.config.scaffold.health import find_health
from castoff.store.version import NAME

Kind = Literal["django", "wsgi", "asgi", "package", "static", "files"]
Database = Literal["sqlite", "postgresql", "mysql"]

_SITES = ("_site", "dist", "public", "build")
_WORKERS = frozenset({"arq", "celery", "dramatiq", "huey", "rq"})
_DRIVERS: dict[str, Database] = {
    "psycopg": "postgresql",
    "psycopg2": "postgresql",
    "psycopg2-binary": "postgresql",
    "asyncpg": "postgresql",
    "mysqlclient": "mysql",
    "pymysql": "mysql",
}
_SQLITE = ("*.sqlite3", "*.sqlite", "*.db")
_MEDIA = ("media", "uploads")


@dataclass(frozen=True, slots=True)
class Project:
    """What was found.

    Attributes:
        kind: What the steps of a release must look like.
        name: A name for the app, as Castoff wants names.
        declared: What the project says of itself.
        entry: What a web server serves, where it could be guessed.
        manage: Django's manage.py, relative to the folder, or empty.
        settings: Django's module of settings, where one could be guessed, or empty.
        health: The path that tells how the app is; `/` if no better one was found.
        versioned: Whether it answers with its version, as the header X-Version.
        site: Folder of a static site's pages, relative, `.` for the folder itself, or empty.
        database: The database that a back-up must save, where one is known.
        database_file: The file of an SQLite database, relative, or empty.
        media: Folders that outlive releases, relative.
        worker: Whether it has a queue's workers to restart too.
        alembic: Whether Alembic migrates its database; `flask` for Flask-Migrate.
        migrations: Globs of the files that Alembic reads.
    """

    kind: Kind
    name: str
    declared: Declared
    entry: Entry | None = None
    manage: str = ""
    settings: str = ""
    health: str = "/"
    versioned: bool = False
    site: str = ""
    database: Database | None = None
    database_file: str = ""
    media: tuple[str, ...] = ()
    worker: bool = False
    alembic: Literal["", "alembic", "flask"] = ""
    migrations: tuple[str, ...] = ()


def detect(folder: Path) -> Project:
    """Return what stands in a folder.

    Raises:
        ConfigError: A file that describes the project cannot be read.
    """
    declared = read_declared(folder)
    manage = _manage(folder)
    entry = find_entry(folder)
    site = _site(folder)
    database_file = _database_file(folder)
    kind = _kind(folder, declared, entry, manage=manage, site=site)
    if kind == "django":
        module = find_module(folder, "wsgi")
        entry = Entry("Django", module, "application", factory=False) if module else None
    health, versioned = find_health(folder)
    return Project(
        kind=kind,
        name=app_name(declared.name or folder.resolve().name),
        declared=declared,
        entry=entry,
        manage=manage,
        settings=(find_module(folder, "settings") or "") if kind == "django" else "",
        health=health,
        versioned=versioned,
        site=site,
        database=_database(declared, database_file),
        database_file=database_file,
        media=tuple(name for name in _MEDIA if (folder / name).is_dir()),
        worker=bool(_WORKERS & declared.dependencies),
        alembic=_alembic(folder, declared),
        migrations=_migrations(folder),
    )


def app_name(text: str) -> str:
    """Return a name that Castoff takes, as near to `text` as can be; `app` if nothing is left."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    match = NAME.match(plain)
    return match[0].rstrip("-") if match else "app"


def _kind(folder: Path, declared: Declared, entry: Entry | None, *, manage: str, site: str) -> Kind:
    if manage or "django" in declared.dependencies:
        return "django"
    if entry is not None:
        return FRAMEWORKS[entry.framework]
    for framework, interface in FRAMEWORKS.items():
        if framework.lower() in declared.dependencies:
            return interface
    if declared.pyproject:
        return "package"
    if site or (folder / "package.json").is_file():
        return "static"
    return "files"


def _manage(folder: Path) -> str:
    found = [path for pattern in ("manage.py", "*/manage.py") for path in folder.glob(pattern)]
    return (
        min(found, key=lambda path: (len(path.parts), path)).relative_to(folder).as_posix()
        if found
        else ""
    )


def _site(folder: Path) -> str:
    return next((name for name in (".", *_SITES) if (folder / name / "index.html").is_file()), "")


def _database_file(folder: Path) -> str:
    found = (path for pattern in _SQLITE for path in sorted(folder.glob(pattern)))
    return next((path.name for path in found), "")


def _database(declared: Declared, database_file: str) -> Database | None:
    for driver, database in _DRIVERS.items():
        if driver in declared.dependencies:
            return database
    return "sqlite" if database_file else None


def _alembic(folder: Path, declared: Declared) -> Literal["", "alembic", "flask"]:
    if "flask-migrate" in declared.dependencies:
        return "flask"
    return "alembic" if (folder / "alembic.ini").is_file() else ""


def _migrations(folder: Path) -> tuple[str, ...]:
    ini = ["alembic.ini"] if (folder / "alembic.ini").is_file() else []
    folders = [f"{name}/**" for name in ("alembic", "migrations") if (folder / name).is_dir()]
    return (*ini, *folders)
