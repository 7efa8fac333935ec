"""Data of each kind that can be backed up, and how tests ask an agent to do that."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, Message, agent
from support.mariadb import MariaDb
from support.postgres import Postgres

BASE = {"CASTOFF_APP": "shop", "CASTOFF_ENVIRONMENT": "production", "CASTOFF_HOST": "web1"}


@dataclass
class Data:
    """Something to back up: how a step names it, how it is changed, and all that it holds."""

    options: dict[str, Any]
    env: dict[str, str]
    change: Callable[[str], None]
    rows: Callable[[], object]
    others: Callable[[], set[str]]
    user: str | None = None
    tool: str = ""


def kinds(*names: str, sweep: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Return what gives a test `data` of these kinds, and in sweeps of some more."""
    more = [pytest.param(name, marks=pytest.mark.sweep) for name in sweep]
    return pytest.mark.parametrize("data", [*names, *more], indirect=True)


@pytest.fixture
def data(request: pytest.FixtureRequest) -> Data:
    made: Data = request.getfixturevalue(f"{request.param}_data")
    return made


@pytest.fixture
def postgresql_data(postgres: Postgres) -> Data:
    env = postgres.fresh()
    name = env["PGDATABASE"]

    def rows() -> object:
        return postgres.sql("SELECT id, name FROM goods ORDER BY id", name)

    postgres.sql(
        "CREATE TABLE goods (id serial PRIMARY KEY, name text);"
        "CREATE VIEW cheap AS SELECT * FROM goods; INSERT INTO goods (name) VALUES ('tea'), ('ü');",
        name,
        name,
    )
    return Data(
        {"kind": "postgresql"},
        env,
        lambda what: void(postgres.sql(f"INSERT INTO goods (name) VALUES ('{what}')", name, name)),
        rows,
        lambda: {other for other in postgres.databases() if other.startswith(name)},
        tool="pg_dump",
    )


@pytest.fixture
def mariadb_data(mariadb: MariaDb) -> Data:
    env = mariadb.fresh()
    name = env["MYSQL_DATABASE"]
    mariadb.sql(
        "CREATE TABLE makers (id int PRIMARY KEY);"
        "CREATE TABLE goods (id int AUTO_INCREMENT PRIMARY KEY, name text, maker int,"
        " FOREIGN KEY (maker) REFERENCES makers (id));"
        "CREATE TABLE log (what text);"
        f"CREATE DEFINER={name}@'127.0.0.1' TRIGGER noted AFTER INSERT ON goods FOR EACH ROW"
        " INSERT INTO log VALUES (NEW.name);"
        f"CREATE DEFINER={name}@'127.0.0.1' VIEW cheap AS SELECT name FROM goods;"
        "INSERT INTO makers VALUES (1);"
        "INSERT INTO goods (name, maker) VALUES ('tea', 1), ('ü', 1)",
        name,
    )

    def rows() -> object:
        return [
            mariadb.sql(f"SELECT * FROM {table}", name)
            for table in ("goods", "makers", "log", "cheap")
        ]

    return Data(
        {"kind": "mariadb"},
        env,
        lambda what: void(mariadb.sql(f"INSERT INTO goods (name) VALUES ('{what}')", name)),
        rows,
        lambda: {other for other in mariadb.databases() if other.startswith(name)},
        tool="mariadb-dump",
    )


@pytest.fixture
def sqlite_data(root: Path) -> Iterator[Data]:
    path = root / "shared" / "db" / "shop.sqlite3"
    path.parent.mkdir(parents=True)
    # A connection that stays, as an app has one.
    with closing(sqlite3.connect(path, check_same_thread=False)) as app:
        app.execute("PRAGMA journal_mode=WAL")
        app.execute("CREATE TABLE goods (id INTEGER PRIMARY KEY, name TEXT)")
        app.executemany("INSERT INTO goods (name) VALUES (?)", [("tea",), ("ü",)])
        app.commit()

        def change(what: str) -> None:
            app.execute("INSERT INTO goods (name) VALUES (?)", [what])
            app.commit()

        yield Data(
            {"kind": "sqlite", "database": "db/shop.sqlite3"},
            {},
            change,
            lambda: app.execute("SELECT id, name FROM goods").fetchall(),
            lambda: {
                n.name for n in path.parent.iterdir() if not n.name.endswith(("-wal", "-shm"))
            },
        )


@pytest.fixture
def files_data(root: Path) -> Data:
    media = root / "shared" / "media"
    (media / "a" / "empty").mkdir(parents=True)
    (media / "a" / "tea.txt").write_text("tea")
    (media / "a" / "link").symlink_to("/nowhere")
    (media / "program").write_bytes(os.urandom(700_000))
    (media / "program").chmod(0o750)
    os.mkfifo(media / "left-out")

    def rows() -> object:
        return {
            str(path.relative_to(media)): (
                path.lstat().st_mode,
                str(path.readlink()) if path.is_symlink() else path.is_file() and path.read_bytes(),
                int(path.lstat().st_mtime) if not path.is_symlink() else 0,
            )
            for path in sorted(media.rglob("*"))
            if path.name != "left-out"
        }

    return Data(
        {"kind": "files", "paths": ["media"]},
        {},
        lambda what: void((media / "a" / what).write_text(what)),
        rows,
        lambda: {path.name for path in media.parent.iterdir()},
    )


def void(_: object) -> None:
    return None


@contextmanager
def opened(root: Path) -> Iterator[AgentClient]:
    with agent(root) as client:
        client.ask("load", modules=built_ins())
        yield client


def request(what: str, data: Data, **more: Any) -> dict[str, Any]:
    return {
        "what": what,
        "version": "1.0",
        "name": "db",
        "options": {"to": "host", "keep": 3, **data.options, **more.pop("options", {})},
        "env": {**BASE, **data.env},
        "user": data.user,
        "timeout": more.pop("timeout", 60),
        **more,
    }


def back_up(client: AgentClient, data: Data, **more: Any) -> Message:
    return client.ask("built_in", **request("backup", data, **more))


def restore(client: AgentClient, data: Data, made: Message, **more: Any) -> Message:
    archive = more.pop("archive", b"")
    asked = request("restore", data, description=made["description"], **more)
    return client.ask("built_in", archive=archive, **asked)


def listed(client: AgentClient, data: Data) -> list[str]:
    answer = client.ask("built_in", **request("backups", data))
    return [one["id"] for one in answer["backups"]]


def files_in(root: Path) -> list[str]:
    folder = root / "backups"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []
