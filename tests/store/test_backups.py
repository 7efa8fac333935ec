"""Back-ups that the store keeps: which of them go."""

from __future__ import annotations

import hashlib
from pathlib import Path

from castoff.store import backups, keys
from castoff.store.backups import Backup
from castoff.store.file import FileStore


def kept(store: FileStore, folder: Path, number: int, when: float) -> Backup:
    path = folder / "data"
    path.write_bytes(b"data")
    identifier = f"20261130-08000{number}-media-abcde{number}"
    backup = Backup(
        id=identifier,
        app="shop",
        environment="production",
        host="web1",
        step="media",
        kind="files",
        name="media",
        version="1",
        coming=None,
        time=when,
        seconds=1.0,
        file=f"{identifier}.tar.gz",
        size=4,
        sha256=hashlib.sha256(b"data").hexdigest(),
        encryption=None,
        tool="tar",
    )
    backups.keep(store, "shop", "production", backup, path)
    return backup


def test_the_latest_stays_even_if_its_hosts_clock_was_set_back(
    file_store: FileStore, tmp_path: Path
) -> None:
    older, newer = kept(file_store, tmp_path, 1, 2000.0), kept(file_store, tmp_path, 2, 3000.0)
    latest = kept(file_store, tmp_path, 3, 1000.0)
    gone = backups.tidy(file_store, "shop", "production", latest, most=2)
    assert gone == [older.id]
    left = {one.id for one in backups.kept(file_store, "shop", "production").whole}
    assert left == {newer.id, latest.id}


def test_one_that_is_damaged_hides_no_other_and_keeps_its_data(
    file_store: FileStore, tmp_path: Path
) -> None:
    prefix = keys.backups("shop", "production")
    broken = kept(file_store, tmp_path, 1, 1.0)
    key = f"{prefix}{broken.id}.json"
    file_store.delete(key)
    file_store.create(key, b"{}")
    latest = kept(file_store, tmp_path, 2, 2.0)
    backups.tidy(file_store, "shop", "production", latest, most=1)
    found = backups.kept(file_store, "shop", "production")
    assert (found.whole, list(found.damaged)) == ((latest,), [broken.id])
    assert file_store.read(prefix + broken.file).data == b"data"
