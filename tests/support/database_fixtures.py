"""Servers of databases, one of each for a whole run of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import mariadb as mariadb_module
from support import postgres as postgres_module
from support.mariadb import MariaDb, mariadb_server
from support.postgres import Postgres, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if not postgres_module.available():
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDb]:
    if not mariadb_module.available():
        pytest.skip("needs MariaDB: apt-get install mariadb-server-core mariadb-client")
    with mariadb_server() as server:
        yield server
