"""Hosts of one zone fetch each byte once from the store: real agents, folders of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser import documents, peers
from castoff.releaser.job import Scope
from castoff.releaser.operations.status import look
from castoff.releaser.release import resolve, run
from castoff.releaser.sources import BlobSources, TableSources
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store.file import FileStore
from support.local_scope import make_scope


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let hosts get everything from the controller; return how many bytes each part had."""
    parts: list[int] = []
    read = BlobSources.read

    def counted(self: BlobSources, offset: int, length: int) -> Iterator[bytes]:
        for block in read(self, offset, length):
            parts.append(len(block))
            yield block

    monkeypatch.setattr(BlobSources, "read", counted)
    monkeypatch.setattr(FileStore, "local_path", lambda _self, _key: None)
    return parts


def in_zones(scope: Scope, *zones: str | None) -> Scope:
    hosts = zip(scope.hosts, zones, strict=True)
    return replace(scope, hosts=tuple(replace(host, zone=zone) for host, zone in hosts))


def go(scope: Scope, version: str) -> dict[str, Any]:
    """Release; return in which ways each host fetched."""
    timeline = Timeline(Silent())
    job = resolve(scope, "release", version)
    run(job, timeline)
    assert look(scope).agrees
    return dict(timeline.fetched)


def test_each_byte_comes_into_a_zone_once(tmp_path: Path, sent: list[int]) -> None:
    scope = make_scope(tmp_path, [], hosts=5, transfer={"peers": True})
    scope = in_zones(scope, "a", "a", "b", "a", None)
    fetched = go(scope, "1")
    size = fetched["web1"]["archive"]
    assert fetched["web3"] == fetched["web5"] == {"archive": size}
    assert set(fetched["web2"]) == set(fetched["web4"]) == {"peer"}
    assert sum(sent) == 3 * size


def test_a_table_comes_into_a_zone_once_and_to_those_outside_by_themselves(
    tmp_path: Path, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables: list[int] = []
    read = TableSources.read

    def counted(self: TableSources, offset: int, length: int) -> Iterator[bytes]:
        for block in read(self, offset, length):
            tables.append(len(block))
            yield block

    monkeypatch.setattr(TableSources, "read", counted)
    monkeypatch.setattr(documents, "_SHORT", 0)
    scope = make_scope(tmp_path, [], hosts=5, transfer={"peers": True})
    scope = in_zones(scope, "a", "a", "b", "a", None)
    fetched = go(scope, "1")
    assert len(tables) == 3
    assert len(set(tables)) == 1
    assert sum(sent) == 3 * fetched["web1"]["archive"], "and counts for no archive"


@pytest.mark.parametrize("why", ["not asked for", "not wanted now"])
def test_without_peers_each_host_asks_the_store(
    why: str, tmp_path: Path, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from castoff.releaser.rates import limited

    scope = make_scope(tmp_path, [], transfer={"peers": why == "not wanted now"})
    if why == "not wanted now":
        scope = limited(scope, None, None, peers=False)
    # Nobody is even asked.
    monkeypatch.setattr(peers, "_offer", None)
    fetched = go(in_zones(scope, "a", "a", "a"), "1")
    assert sum(sent) == 3 * fetched["web1"]["archive"]


def test_hosts_that_have_nothing_fetch_for_those_that_have_something(
    tmp_path: Path, sent: list[int]
) -> None:
    scope = make_scope(tmp_path, [], transfer={"peers": True})
    go(replace(scope, hosts=scope.hosts[:1]), "1")
    del sent[:]
    fetched = go(in_zones(scope, "a", "a", "a"), "2")
    assert set(fetched["web2"]) == {"archive"}
    assert set(fetched["web1"]) == set(fetched["web3"]) == {"peer"}
    assert sum(sent) == fetched["web2"]["archive"]


def test_a_host_that_cannot_offer_anything_is_no_matter(
    tmp_path: Path, sent: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = peers._offer

    def elsewhere(job: Any, fleet: Any, host: Any, token: str, patch: str | None) -> Any:
        # An address that is nobody's (RFC 5737).
        other = replace(host, transport="ssh", address="192.0.2.1")
        return real(job, fleet, other if host.name == "web1" else host, token, patch)

    monkeypatch.setattr(peers, "_offer", elsewhere)
    monkeypatch.setenv("SSH_CONNECTION", "")
    scope = make_scope(tmp_path, [], transfer={"peers": True})
    fetched = go(in_zones(scope, "a", "a", "a"), "1")
    assert set(fetched["web2"]) == {"archive"}
    assert set(fetched["web3"]) == {"peer"}
    assert sum(sent) == 2 * fetched["web1"]["archive"]
