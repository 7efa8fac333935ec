"""A pinned version stays until it is unpinned, and everybody can read who pinned it and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store import history, pins
from castoff.store.errors import UsageError
from castoff.store.file import FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, url="file://store")


def pin(store: FileStore, version: str, reason: str = "") -> None:
    pins.pin(store, "shop", "production", version, owner="ann@desk", reason=reason)


def unpin(store: FileStore, version: str) -> None:
    pins.unpin(store, "shop", "production", version, owner="bob@desk")


def versions(store: FileStore, environment: str = "production") -> list[str]:
    return [one.version for one in pins.pinned(store, "shop", environment)]


def test_versions_are_pinned_and_let_go_one_by_one_and_each_environment_has_its_own(
    store: FileStore,
) -> None:
    assert versions(store) == []
    pin(store, "1.0", "the customer's trial")
    pin(store, "2.0")
    assert versions(store) == ["1.0", "2.0"]
    assert versions(store, "staging") == []
    (first, _) = pins.pinned(store, "shop", "production")
    assert (first.owner, first.reason) == ("ann@desk", "the customer's trial")
    unpin(store, "1.0")
    assert versions(store) == ["2.0"]


def test_pinning_twice_tells_who_did_it_first_and_why(store: FileStore) -> None:
    pin(store, "1.0", "trial")
    with pytest.raises(UsageError, match=r"already, by ann@desk at 20.* UTC: trial") as caught:
        pin(store, "1.0", "other")
    assert "castoff unpin 1.0 --env production" in caught.value.hint


def test_letting_go_what_is_not_pinned_names_what_is(store: FileStore) -> None:
    pin(store, "1.0")
    with pytest.raises(UsageError, match=r"2\.0 is not pinned") as caught:
        unpin(store, "2.0")
    assert "1.0" in caught.value.hint


def test_the_history_has_both(store: FileStore) -> None:
    pin(store, "1.0", "trial")
    unpin(store, "1.0")
    let_go, pinned = history.everything(store, "shop", "production")
    assert (pinned.kind, pinned.version, pinned.who) == ("pin", "1.0", "ann@desk")
    assert (let_go.kind, let_go.version, let_go.who) == ("unpin", "1.0", "bob@desk")
