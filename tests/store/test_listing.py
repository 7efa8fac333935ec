"""Lists of versions read documents for a few fields, and say what is wrong with broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from castoff.store import artifacts, channel, keys, listing
from castoff.store.errors import CorruptArtifact
from castoff.store.file import FileStore
from support.tiny_artifact import write_artifact


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store", url="file://store")


@pytest.mark.parametrize(
    "change",
    [{"schema": 2}, {"archive": None}, {"source": {"time": "now"}}, {"version": 1}],
)
def test_a_manifest_that_does_not_fit_is_told_of_as_ever(
    store: FileStore, tmp_path: Path, change: dict[str, Any]
) -> None:
    local = write_artifact(tmp_path, "1.0")
    broken = {**json.loads(local.manifest_bytes), **change}
    store.create(keys.manifest("shop", "1.0"), json.dumps(broken).encode())
    with pytest.raises(CorruptArtifact, match="not a manifest of schema 1"):
        listing.versions(store, "shop")


def test_a_manifest_that_is_no_json_is_told_of(store: FileStore) -> None:
    store.create(keys.manifest("shop", "1.0"), b"{")
    with pytest.raises(CorruptArtifact, match="not a manifest"):
        listing.versions(store, "shop")


def test_live_versions_come_with_their_environments(store: FileStore, tmp_path: Path) -> None:
    artifacts.push(store, write_artifact(tmp_path, "1.0"))
    for environment in ("production", "staging"):
        channel.advance(store, "shop", environment, None, current="1.0", previous=None, release="r")
    live = listing.live(store, "shop", ["production", "empty", "staging"])
    assert live == {"1.0": ["production", "staging"]}


def test_a_broken_channel_is_told_of(store: FileStore) -> None:
    store.create(keys.channel("shop", "production"), b'{"schema": 1, "current": 5}')
    with pytest.raises(CorruptArtifact, match="not a channel document"):
        listing.live(store, "shop", ["production"])
