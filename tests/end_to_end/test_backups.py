"""Back-ups by the command line: over SSH, and of a database whose password is a secret."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from support.fleet_fixtures import MakeFleet, isolated
from support.pages import live, serve, write_config
from support.postgres import PASSWORD, Postgres
from support.site import Site

BACK_UPS = """
[[environments.production.steps]]
name = "database"
moment = "backup"
[environments.production.steps.backup]
kind = "sqlite"
database = "shop.db"
to = "store"

[[environments.production.steps]]
name = "media"
moment = "backup"
[environments.production.steps.backup]
kind = "files"
paths = ["media"]

[[environments.production.steps]]
name = "health"
moment = "after_activate"
timeout = 20
http = { url = "http://127.0.0.1:{PORT}/", contains = "{version}" }
"""
LOCAL = """
[apps.pages]
build = {{ exclude = ["castoff.toml"] }}

[environments.production]
transport = "local"
root = "{root}"
hosts = [{{ name = "web1" }}]

[environments.production.secrets]
DATABASE_URL = {{ env = "URL" }}

[[environments.production.steps]]
name = "database"
moment = "backup"
secrets = ["DATABASE_URL"]
[environments.production.steps.backup]
kind = "postgresql"
url = "DATABASE_URL"
"""


@pytest.mark.fleet
def test_data_is_backed_up_listed_and_restored_over_ssh(site: Site, make_fleet: MakeFleet) -> None:
    fleet = isolated(make_fleet(2))
    for host in fleet.hosts:
        serve(host)
    write_config(site, fleet, steps=BACK_UPS)
    shared = fleet.hosts[0].path(f"{fleet.hosts[0].root}/pages") / "shared"
    (shared / "media").mkdir(parents=True)
    (shared / "media" / "tea.txt").write_text("tea")

    database = f"{fleet.hosts[0].root}/pages/shared/shop.db"

    def sql(*statements: str) -> str:
        # On the host: from here, SQLite would follow the way there to a file of ours.
        lines = [f"rows = list(c.execute({statement!r}))" for statement in statements]
        script = "\n".join([f"import sqlite3; c = sqlite3.connect({database!r})", *lines])
        end = "c.commit(); print(*(row[0] for row in rows), sep=', ')"
        return fleet.hosts[0].run(f"python3 <<'END'\n{script}\n{end}\nEND").stdout.strip()

    def add(name: str) -> None:
        sql("CREATE TABLE IF NOT EXISTS goods (name)", f"INSERT INTO goods VALUES ('{name}')")

    add("tea")
    for version in ("1.0", "2.0"):
        site.publish(version)
        done = site.castoff("release", version)
        assert done.code == 0, done.err
        add(f"of {version}")
    (shared / "media" / "tea.txt").write_text("coffee")

    found = site.castoff("backups", "--json").json
    assert [(one["step"], one["version"], one["coming"], one["place"]) for one in found] == [
        ("media", "1.0", "2.0", "web1"),
        ("database", "1.0", "2.0", "store"),
        ("media", None, "1.0", "web1"),
        ("database", None, "1.0", "store"),
    ]
    made = site.castoff("backup", "media")
    assert made.code == 0, made.err
    assert "is made: files media" in made.out

    media = found[0]["id"]
    unasked = site.castoff("restore", media)
    assert unasked.code == 2
    assert "--yes" in unasked.err
    restored = site.castoff("restore", media, "--yes")
    assert restored.code == 0, restored.err
    assert "1.0 was live (before 2.0)" in restored.err
    assert "since then: #2 release 2.0, released" in restored.err
    assert "release 1.0" not in restored.err
    assert (shared / "media" / "tea.txt").read_text() == "tea"
    assert "is restored; what was there before is kept as .before-" in restored.out
    assert "Nothing was restarted" in restored.out
    assert "castoff release 2.0 --env production" in restored.out

    back = site.castoff("rollback", "1.0", "--to-backup", "latest", "--yes")
    assert back.code == 0, back.err
    assert "since then: #2 release 2.0, released" in back.err
    assert sql("SELECT name FROM goods") == "tea, of 1.0"
    assert live(fleet) == {"web1": "1.0", "web2": "1.0"}
    told = site.castoff("history").out
    for word in ("backed up", "restored", "rollback"):
        assert word in told
    assert site.castoff("backups").code == 0
    assert site.castoff("restore", "20200101-000000-media-abcdef", "--yes").code == 2


def test_a_password_from_a_secret_is_nowhere_afterwards(
    site: Site, tmp_path: Path, postgres: Postgres
) -> None:
    name = postgres.fresh()["PGDATABASE"]
    postgres.sql("CREATE TABLE goods AS SELECT 'tea' AS name", name, name)
    login = f"{name}:{quote(PASSWORD, safe='')}"
    root = tmp_path / "srv"
    site.variables["URL"] = f"postgresql://{login}@127.0.0.1:{postgres.port}/{name}"
    site.write({"castoff.toml": LOCAL.format(root=root)})
    for version in ("1.0", "2.0"):
        site.publish(version)
        done = site.castoff("release", version)
        assert done.code == 0, done.err
    postgres.sql("INSERT INTO goods VALUES ('coffee')", name, name)
    (newest, *_) = site.castoff("backups", "--json").json
    restored = site.castoff("restore", newest["id"], "--yes", "--json")
    assert restored.code == 0, restored.err
    assert postgres.sql("SELECT name FROM goods", name, name) == "tea"
    kept = restored.json["kept"]
    assert postgres.sql("SELECT name FROM goods", kept) == "tea\ncoffee"
    assert kept in restored.json["undo"]

    site.variables["URL"] = site.variables["URL"].replace(quote(PASSWORD, safe=""), "wrong-hunter2")
    wrong = site.castoff("backup")
    assert wrong.code == 24, wrong.err
    assert "password authentication failed" in wrong.err
    words = wrong.out + wrong.err + restored.out + restored.err + done.out + done.err
    hidden = (PASSWORD, quote(PASSWORD, safe=""), "wrong-hunter2")
    assert not any(secret in words for secret in hidden)
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(files) > 20
    holders = [p for p in files if any(secret.encode() in p.read_bytes() for secret in hidden)]
    assert holders == []
