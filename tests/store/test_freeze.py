"""A frozen environment tells whoever meets it who froze it, since when and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store import freeze, history
from castoff.store.errors import Locked, UsageError
from castoff.store.file import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, url="file://store")


def put(store: FileStore, reason: str, *, frozen: bool) -> None:
    freeze.put(store, "shop", "production", owner="ann@desk", reason=reason, frozen=frozen)


def test_an_environment_is_free_until_it_is_frozen_and_after_it_is_set_free(
    store: FileStore,
) -> None:
    freeze.check(store, "shop", "production")
    put(store, "stocktaking", frozen=True)
    with pytest.raises(Locked, match=r"frozen by ann@desk at 20.* UTC: stocktaking") as caught:
        freeze.check(store, "shop", "production")
    assert "castoff unlock" in caught.value.hint
    freeze.check(store, "shop", "staging")
    put(store, "", frozen=False)
    freeze.check(store, "shop", "production")


def test_freezing_twice_tells_who_did_it_first_and_keeps_that(store: FileStore) -> None:
    put(store, "first", frozen=True)
    with pytest.raises(Locked, match="first"):
        put(store, "second", frozen=True)


def test_setting_free_what_is_not_frozen_is_a_mistake(store: FileStore) -> None:
    with pytest.raises(UsageError, match="not frozen"):
        put(store, "", frozen=False)


def test_both_are_in_the_history_with_who_and_why(store: FileStore) -> None:
    put(store, "stocktaking", frozen=True)
    put(store, "", frozen=False)
    found = history.everything(store, "shop", "production")
    assert [(one.kind, one.who) for one in found] == [("unlock", "ann@desk"), ("lock", "ann@desk")]
    assert history.entries(store, "shop", "production") == []
