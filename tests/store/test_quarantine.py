"""The document of hosts that releases went on without: one writer at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store import keys, quarantine
from castoff.store.errors import Conflict, CorruptArtifact
from castoff.store.file import FileStore
from castoff.store.quarantine import Quarantined

WHERE = ("shop", "production")


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, url="file://store")


def entry(host: str) -> Quarantined:
    return Quarantined(host=host, since=1.5, why="no answer", version="2", release="abc")


def test_what_was_written_is_read_in_the_order_of_names(store: FileStore) -> None:
    assert quarantine.read(store, *WHERE) is None

    etag = quarantine.write(store, *WHERE, [entry("web2"), entry("web1")], etag=None)

    seen = quarantine.read(store, *WHERE)
    assert seen is not None
    assert seen[0].hosts == (entry("web1"), entry("web2"))
    assert seen[1] == etag


def test_whoever_has_not_seen_the_last_change_cannot_write(store: FileStore) -> None:
    first = quarantine.write(store, *WHERE, [entry("web1")], etag=None)
    second = quarantine.write(store, *WHERE, [], etag=first)

    for late in (None, first):
        with pytest.raises(Conflict, match="another controller has changed the quarantine"):
            quarantine.write(store, *WHERE, [entry("web9")], etag=late)

    seen = quarantine.read(store, *WHERE)
    assert seen is not None
    assert (seen[0].hosts, seen[1]) == ((), second)


def test_a_damaged_document_is_an_error_and_not_an_empty_quarantine(store: FileStore) -> None:
    store.create(keys.quarantine(*WHERE), b'{"hosts":[{"host":"web1"}],"schema":1}')

    with pytest.raises(CorruptArtifact, match=r"quarantine.json.*hosts"):
        quarantine.read(store, *WHERE)
