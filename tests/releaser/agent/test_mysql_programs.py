"""Which words MariaDB's and MySQL's own programs get; the servers are in other tests."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from castoff.releaser.agent.builtins.deadline import Deadline
from castoff.releaser.agent.builtins.mysql import Database
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.parameters import Parameters

_PROGRAM = """#!/bin/sh
case "$*" in
    --version) echo "%s" ;;
    *) echo "$@" ;;
esac
"""


@pytest.mark.parametrize(
    ("version", "wanted"),
    [
        ("mysqldump  Ver 8.0.40 for Linux on x86_64 (MySQL Community Server - GPL)", True),
        ("mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)", False),
    ],
)
def test_a_dump_of_mysql_leaves_its_replication_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, wanted: bool
) -> None:
    """With it no server would take the dump that has run its transactions, as its own has."""
    program = tmp_path / "mysqldump"
    program.write_text(_PROGRAM % version)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    env = {"MYSQL_DATABASE": "shop", "MYSQL_PWD": "secret"}
    given = Parameters({"version": "1.0", "env": env, "user": None})
    database = Database(Layout(str(tmp_path)), given, Parameters({"kind": "mysql"}))
    said = gzip.decompress(b"".join(database.dump(Deadline("db", 20)))).decode()
    assert said.startswith("--no-defaults --default-character-set")
    assert ("--set-gtid-purged=OFF" in said.split()) is wanted
    assert "secret" not in said
