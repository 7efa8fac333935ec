"""Documents replaced by compare-and-swap: a lost answer is not taken for another writer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from castoff.store import channel, lease, migration_log, quarantine
from castoff.store.backend import Store
from castoff.store.errors import Conflict
from castoff.store.file import FileStore
from castoff.store.migration_log import MigrationLog

WHERE = ("shop", "production")


class AnswerLost:
    """A store that writes, and then says that somebody else did."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes) -> str:
        self._store.create(key, data)
        raise Conflict(key)


def advance(store: Store) -> None:
    seen = channel.read(store, *WHERE)
    channel.advance(store, *WHERE, seen, current="2", previous="1", release="abc")


def hold(store: Store) -> None:
    held = lease.acquire(store, *WHERE, owner="me", reason="why", ttl=30)
    lease.release(lease.renew(held))


WRITERS: list[Callable[[Store], object]] = [
    advance,
    hold,
    lambda store: quarantine.write(store, *WHERE, [], etag=None),
    lambda store: migration_log.write(store, *WHERE, MigrationLog(), etag=None),
]


@pytest.mark.parametrize("write", WRITERS)
def test_a_write_whose_answer_was_lost_is_known_as_ones_own(
    tmp_path: Path, write: Callable[[Store], object]
) -> None:
    write(AnswerLost(FileStore(tmp_path, url="file://store")))  # type: ignore[arg-type]


def test_another_that_wrote_meanwhile_is_told_of(tmp_path: Path) -> None:
    store = FileStore(tmp_path, url="file://store")
    seen = channel.read(store, *WHERE)
    advance(store)
    with pytest.raises(Conflict, match="another release has moved the channel of shop"):
        channel.advance(store, *WHERE, seen, current="3", previous="2", release="def")
