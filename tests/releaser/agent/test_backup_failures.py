"""Back-ups that fail, hang or are killed: what is left, and that the next one works."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, AgentFailure, AgentGone, agent, open_request
from support.archives import Artifact
from support.backup_data import Data, back_up, files_in, kinds, listed, opened, request, restore
from support.killed_agent import deadly_bundle
from support.mariadb import PASSWORD, MariaDb
from support.postgres import Postgres


@pytest.fixture
def root(root: Path, shop: Artifact) -> Path:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
        client.ask("activate", version="1.0", release="r1")
    return root


@pytest.fixture
def locked(data: Data, postgres: Postgres) -> Iterator[None]:
    """A table that somebody keeps pg_dump from reading."""
    argv = ["psql", "-Xq", "-h", str(postgres.folder), "-p", str(postgres.port), "-U", "postgres"]
    with subprocess.Popen(
        [*argv, "-d", data.env["PGDATABASE"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write("BEGIN; LOCK TABLE goods IN ACCESS EXCLUSIVE MODE;\n\\echo held\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        yield
        holder.stdin.close()


def dumping(postgres: Postgres, data: Data) -> bool:
    """Whether a pg_dump is at work in the database."""
    query = (
        "SELECT count(*) FROM pg_stat_activity "
        f"WHERE datname = '{data.env['PGDATABASE']}' AND usename = datname AND state <> 'idle'"
    )
    return postgres.sql(query) != "0"


@kinds("postgresql", "mariadb")
def test_a_wrong_password_is_told_and_no_word_of_it(root: Path, data: Data) -> None:
    wrong = "hunter2-wrong"
    key = "PGPASSWORD" if "PGPASSWORD" in data.env else "MYSQL_PWD"
    data.env[key] = wrong
    with opened(root) as client:
        with pytest.raises(AgentFailure) as caught:
            back_up(client, data)
        assert caught.value.code == "step-failed"
        assert any(word in caught.value.message for word in ("password", "Access denied"))
        assert wrong.encode() not in client.heard
        assert files_in(root) == []
        data.env[key] = PASSWORD
        made = back_up(client, data)["description"]
        assert listed(client, data) == [made["id"]]


@kinds("postgresql", "mariadb")
def test_a_url_in_a_secret_says_all_and_is_in_no_list_of_processes(
    root: Path, data: Data, tmp_path: Path
) -> None:
    before, env = data.rows(), data.env
    password = "p%40ss%2Fw%3Ard%20%C3%BC"
    user, name = (env.get(key) or env[other] for key, other in _SAME)
    port = env.get("PGPORT") or env["MYSQL_TCP_PORT"]
    data.env = {
        "DATABASE_URL": f"{data.options['kind']}://{user}:{password}@127.0.0.1:{port}/{name}"
    }
    data.options["url"] = "DATABASE_URL"
    seen = tmp_path / "seen"
    real = data.tool
    shim = tmp_path / "bin" / real
    shim.parent.mkdir()
    shim.write_text(
        f'#!/bin/sh\ntr "\\0" " " </proc/$$/cmdline >>{seen}\nexec /usr/bin/{real} "$@"\n'
    )
    shim.chmod(0o755)
    data.env["PATH"] = f"{shim.parent}:{os.environ['PATH']}"
    with opened(root) as client:
        made = back_up(client, data)
        data.change("later")
        restore(client, data, made)
    assert data.rows() == before
    assert real in seen.read_text()
    assert password not in seen.read_text()
    assert PASSWORD not in seen.read_text()


_SAME = (("PGUSER", "MYSQL_USER"), ("PGDATABASE", "MYSQL_DATABASE"))


@kinds("postgresql")
@pytest.mark.usefixtures("locked")
def test_one_that_hangs_is_ended_in_time(root: Path, data: Data) -> None:
    with opened(root) as client:
        with pytest.raises(AgentFailure) as caught:
            back_up(client, data, timeout=1)
        assert caught.value.code == "step-timeout"
        assert "'db' did not end within 1 s" in caught.value.message
        assert files_in(root) == []
        assert listed(client, data) == []


@kinds("postgresql")
@pytest.mark.usefixtures("locked")
def test_one_that_is_killed_half_way_does_not_exist_and_the_next_one_clears_up(
    root: Path, data: Data, postgres: Postgres
) -> None:
    client = AgentClient()
    client.ask("open", **open_request(root))
    client.ask("load", modules=built_ins())
    client.post("built_in", **request("backup", data))
    while not dumping(postgres, data):
        time.sleep(0.02)
    client.process.send_signal(signal.SIGKILL)
    client.process.wait()
    (partial,) = files_in(root)
    assert partial.endswith(".partial")
    postgres.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{data.env['PGDATABASE']}'"
    )
    client.close()
    with opened(root) as again:
        assert listed(again, data) == []
        made = back_up(again, data)["description"]
        assert listed(again, data) == [made["id"]]
        assert partial not in files_in(root)


@kinds("mariadb")
def test_a_dump_that_its_server_cuts_off_is_no_back_up(
    root: Path, data: Data, mariadb: MariaDb
) -> None:
    """What came until then is compressed, and looks like a dump."""
    name = data.env["MYSQL_DATABASE"]
    login = ["--no-defaults", f"--socket={mariadb.socket}", "--user=admin", name]
    at_work = f"SELECT id FROM information_schema.processlist WHERE user = '{name}'"
    with (
        opened(root) as client,
        subprocess.Popen(
            ["mariadb", *login, "-BN", "--unbuffered"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as holder,
    ):
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write("LOCK TABLES makers WRITE; SELECT 'held';\n")
        holder.stdin.flush()
        holder.stdout.readline()
        client.post("built_in", **request("backup", data))
        waits = f"{at_work} AND state LIKE '%metadata lock%'"
        while not (number := mariadb.sql(waits)):
            time.sleep(0.02)
        mariadb.sql(f"KILL {number}")
        with pytest.raises(AgentFailure, match=r"dump failed with exit status") as caught:
            client.answer()
        holder.stdin.close()
        assert caught.value.code == "step-failed"
        assert (files_in(root), listed(client, data)) == ([], [])


@kinds("files")
def test_one_whose_controller_left_ends_and_leaves_the_host_to_the_next(
    root: Path, data: Data
) -> None:
    with (root / "shared" / "media" / "video").open("wb") as large:
        large.truncate(4 << 30)
    client = AgentClient()
    client.ask("open", **open_request(root))
    client.ask("load", modules=built_ins())
    client.post("built_in", **request("backup", data))
    while not files_in(root):
        time.sleep(0.02)
    client.close()
    assert files_in(root) == []


@kinds("sqlite", "files")
@pytest.mark.parametrize(
    "calls", [5, 12, *(pytest.param(n, marks=pytest.mark.sweep) for n in range(1, 24))]
)
def test_a_restore_that_is_killed_anywhere_leaves_the_one_or_the_other_and_can_be_repeated(
    root: Path, data: Data, calls: int
) -> None:
    before = data.rows()
    with opened(root) as client:
        made = back_up(client, data)
    data.change("later")
    after = data.rows()
    client = AgentClient(source=deadly_bundle(calls + calls_of_opening(root)))
    with suppress(AgentGone):
        client.ask("open", **open_request(root))
        client.ask("load", modules=built_ins())
        restore(client, data, made)
    client.close()
    assert data.rows() in (before, after)
    time.sleep(1)
    with opened(root) as again:
        restore(again, data, made)
    assert data.rows() == before
    assert not [name for name in data.others() if "restoring" in name]


def calls_of_opening(root: Path) -> int:
    """Return how many calls that change the disk opening takes, on a host that has a release."""
    if not _OPENING:
        for calls in range(1, 60):
            client = AgentClient(source=deadly_bundle(calls))
            with suppress(AgentGone):
                client.ask("open", **open_request(root))
                client.ask("load", modules=built_ins())
                _OPENING.append(calls)
            client.close()
            if _OPENING:
                break
    return _OPENING[0]


_OPENING: list[int] = []


@kinds("files")
def test_a_full_disk_is_told_and_leaves_nothing(root: Path, data: Data, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(disk)], check=True)
    try:
        with opened(root) as client:
            with pytest.raises(AgentFailure) as caught:
                back_up(client, data, options={"folder": str(disk)})
            assert caught.value.code == "no-space"
            assert list((disk / "shop-production").iterdir()) == []
            assert back_up(client, data)["description"]["size"] > 0
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


@kinds("postgresql")
def test_who_may_not_replace_a_database_learns_that_before_anything_is_made(
    root: Path, data: Data, postgres: Postgres
) -> None:
    with opened(root) as client:
        made = back_up(client, data)
        postgres.sql(f"ALTER ROLE {data.env['PGUSER']} NOCREATEDB")
        before, there = data.rows(), data.others()
        with pytest.raises(AgentFailure) as caught:
            restore(client, data, made)
        assert caught.value.code == "permission"
        assert "CREATEDB" in caught.value.hint
        assert (data.rows(), data.others()) == (before, there)


@kinds("postgresql")
def test_settings_rights_and_those_who_are_connected_do_not_hinder_a_restore(
    root: Path, data: Data, postgres: Postgres
) -> None:
    name = data.env["PGDATABASE"]
    postgres.sql(
        f"ALTER DATABASE {name} SET work_mem = '7MB';"
        f'ALTER DATABASE {name} SET search_path = "$user", public;'
        f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC;"
    )
    granted = (
        f"SELECT unnest(datacl)::text AS one FROM pg_database WHERE datname = '{name}' ORDER BY one"
    )
    argv = ["psql", "-Xq", "-h", str(postgres.folder), "-p", str(postgres.port), "-U", name]
    with (
        opened(root) as client,
        subprocess.Popen(
            [*argv, "-d", name], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as app,
    ):
        made = back_up(client, data)
        rights = postgres.sql(granted)
        data.change("later")
        restore(client, data, made)
        assert postgres.sql(granted) == rights
        assert postgres.sql("SHOW work_mem; SHOW search_path", name) == '7MB\n"$user", public'
        assert app.stdin is not None
        app.stdin.close()


@kinds("mariadb")
def test_tables_in_use_stay_where_they_are_with_their_triggers_and_views(
    root: Path, data: Data, mariadb: MariaDb
) -> None:
    name = data.env["MYSQL_DATABASE"]
    login = ["--no-defaults", f"--socket={mariadb.socket}", "--user=admin", name]
    with (
        opened(root) as client,
        subprocess.Popen(
            ["mariadb", *login, "-BN", "--unbuffered"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as reader,
    ):
        made = back_up(client, data)
        assert reader.stdin is not None
        assert reader.stdout is not None
        reader.stdin.write("BEGIN; SELECT count(*) FROM goods;\n")
        reader.stdin.flush()
        reader.stdout.readline()
        before, there = data.rows(), data.others()
        with pytest.raises(AgentFailure, match=r"Lock wait timeout|did not end within"):
            restore(client, data, made, timeout=6)
        reader.stdin.close()
        assert (data.rows(), data.others()) == (before, there)
        data.change("noted by the trigger")
        assert "noted by the trigger" in mariadb.sql("SELECT * FROM log", name)
        restore(client, data, made)
        assert data.rows() == before
