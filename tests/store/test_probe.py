"""A store that takes conditional writes for unconditional ones is found out and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.backend import Store
from castoff.store.errors import StoreError
from castoff.store.file import FileStore
from castoff.store.probe import probe
from support import s3
from support.s3_fixtures import MakeS3Store
from support.s3_gateway import gateway


def test_a_store_that_keeps_its_promises_passes_and_stays_clean(
    store: Store, tmp_path: Path
) -> None:
    probe(store, cache=tmp_path / "cache")

    assert list(store.entries("")) == []


@pytest.mark.parametrize(
    "ignores",
    [{"if-none-match"}, {"if-match"}, {"if-none-match", "if-match"}],
    ids=["create", "replace", "both"],
)
def test_a_gateway_that_ignores_conditions_is_refused(
    seaweed_url: str, make_s3_store: MakeS3Store, tmp_path: Path, ignores: set[str]
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    with gateway(seaweed_url, ignores=frozenset(ignores)) as broken:
        store = make_s3_store(broken.url, bucket=bucket)

        with pytest.raises(StoreError, match="silently ignores conditional writes") as caught:
            probe(store, cache=tmp_path / "cache")

        assert store.url in caught.value.message
        assert "channels and locks cannot be kept" in caught.value.message
        assert list(store.entries("")) == []
        with pytest.raises(StoreError, match="silently ignores"):
            probe(store, cache=tmp_path / "cache")


def test_a_store_is_tried_out_once_on_a_machine(
    seaweed_url: str, make_s3_store: MakeS3Store, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    with gateway(seaweed_url) as honest:
        store = make_s3_store(honest.url, bucket=bucket)
        probe(store, cache=tmp_path / "cache")
        asked = len(honest.requests)
        assert asked > 0

        probe(store, cache=tmp_path / "cache")

        assert len(honest.requests) == asked


def test_the_same_bucket_behind_another_endpoint_is_another_store(
    seaweed_url: str, make_s3_store: MakeS3Store, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    probe(make_s3_store(seaweed_url, bucket=bucket), cache=tmp_path / "cache")

    with gateway(seaweed_url, ignores=frozenset({"if-none-match"})) as broken:
        store = make_s3_store(broken.url, bucket=bucket)

        with pytest.raises(StoreError, match="silently ignores"):
            probe(store, cache=tmp_path / "cache")


def test_a_cache_that_cannot_be_written_is_done_without(
    file_store: FileStore, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file where the cache's folder should be")

    probe(file_store, cache=tmp_path / "taken" / "cache")

    assert list(file_store.entries("")) == []
