"""What a back-up step must say, and must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load

STEP = """
[apps.shop]
[environments.production]
hosts = [{ name = "web1", address = "192.0.2.1" }]
[environments.production.secrets]
DATABASE_URL = { env = "DATABASE_URL" }
[[environments.production.steps]]
name = "db"
moment = "backup"
secrets = ["DATABASE_URL"]
"""


def read(folder: Path, table: str, more: str = "") -> None:
    path = folder / "castoff.toml"
    path.write_text(f"{STEP}{more}\nbackup = {{ {table} }}\n")
    load(path)


@pytest.mark.parametrize(
    "table",
    [
        'kind = "postgresql", url = "DATABASE_URL", to = "store"',
        'kind = "mariadb", database = "shop"',
        'kind = "sqlite", database = "db/shop.sqlite3"',
        'kind = "files", paths = ["media"], folder = "/backups", recipients = ["age1qqq"]',
    ],
)
def test_what_names_its_data_loads(tmp_path: Path, table: str) -> None:
    read(tmp_path, table)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('kind = "files"', "needs 'paths'"),
        ('kind = "postgresql", paths = ["media"]', "no other kind has them"),
        ('kind = "files", paths = ["media"], url = "DATABASE_URL"', "neither 'database' nor 'url'"),
        ('kind = "files", paths = ["../media"]', "without '..'"),
        ('kind = "sqlite"', "needs 'database'"),
        ('kind = "sqlite", database = "x", folder = "/b", to = "store"', "no folder on a host"),
        ('kind = "sqlite", database = "x", folder = "backups"', "must be an absolute path"),
        ('kind = "sqlite", database = "x", recipients = ["AGE-SECRET-KEY-1"]', "a public key"),
        ('kind = "postgresql", url = "postgresql://shop:pw@db/shop"', "the name of a secret"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, table)
    assert said in caught.value.message
    # What should not have been written there at all is not written elsewhere, too.
    assert not any(secret in caught.value.message for secret in ("pw@", "SECRET-KEY"))


def test_only_programs_run_as_somebody_else(tmp_path: Path) -> None:
    read(tmp_path, 'kind = "postgresql"', 'user = "postgres"')
    with pytest.raises(ConfigError, match="has no 'user'"):
        read(tmp_path, 'kind = "sqlite", database = "x"', 'user = "postgres"')
