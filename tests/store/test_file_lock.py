"""The lock of a directory of a store: held for an instant, and not waited for without end."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from castoff.store import file
from castoff.store.errors import StoreError
from castoff.store.file import FileStore

KEY = "apps/shop/live/production/lease.json"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, url="file://store")


def lock_of(store: FileStore) -> int:
    (path,) = Path(store.identity.removeprefix("file://")).rglob(".~lock")
    return os.open(path, os.O_RDWR)


def test_nobody_waits_for_the_disk_with_the_lock(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = store.replace(KEY, b"2", etag=store.create(KEY, b"1"))
    handle = lock_of(store)
    waits = 0
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal waits
        waits += 1
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(handle, fcntl.LOCK_UN)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    store.replace(KEY, b"3", etag=etag)
    store.delete(KEY)
    os.close(handle)
    assert waits == 3


def test_whoever_keeps_the_lock_is_told_of(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = store.replace(KEY, b"2", etag=store.create(KEY, b"1"))
    handle = lock_of(store)
    fcntl.flock(handle, fcntl.LOCK_EX)
    monkeypatch.setattr(file, "_PATIENCE", 0.1)
    with pytest.raises(StoreError, match=r"\.~lock: another process has kept this lock") as caught:
        store.replace(KEY, b"3", etag=etag)
    assert "kill -CONT" in caught.value.hint
    os.close(handle)
    store.replace(KEY, b"3", etag=etag)
    assert store.read(KEY).data == b"3"
