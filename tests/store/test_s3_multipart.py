"""Uploads in parts: interrupted ones go on, forgotten ones are swept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from castoff.store.digest import sha256
from castoff.store.s3 import S3Store
from castoff.store.s3_multipart import PART
from support.s3_fixtures import MakeS3Store

SIZE = 2 * PART + 1_000


@pytest.fixture(params=["moto", "seaweed"])
def store(request: pytest.FixtureRequest, make_s3_store: MakeS3Store) -> S3Store:
    """Return an empty store of each kind."""
    return make_s3_store(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def sent(store: S3Store) -> Iterator[list[int]]:
    """Collect the numbers of the parts that are sent."""
    numbers: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        numbers.append(int(params["query_string"]["partNumber"]))

    events = store._client.meta.events
    events.register("before-call.s3.UploadPart", note)
    yield numbers
    events.unregister("before-call.s3.UploadPart", note)


def test_an_interrupted_upload_goes_on_with_the_parts_that_are_right(
    store: S3Store, sent: list[int], tmp_path: Path
) -> None:
    path = tmp_path / "archive"
    data = os.urandom(SIZE)
    path.write_bytes(data)
    digest = sha256(data)
    key = f"shop/artifacts/1/{digest}.tar.gz"
    client, bucket, name = store._client, store._bucket, store._key(key)
    begun = client.create_multipart_upload(Bucket=bucket, Key=name)["UploadId"]
    for number, part in ((1, data[:PART]), (2, b"x" * PART)):
        client.upload_part(Bucket=bucket, Key=name, UploadId=begun, PartNumber=number, Body=part)
    sent.clear()
    seen: list[int] = []

    store.upload(key, path, sha256=digest, progress=seen.append)

    assert sorted(sent) == [2, 3], "the first part was there, the second was another"
    assert sum(seen) == SIZE
    assert store.read(key).data == data
    assert client.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


def test_uploads_that_nobody_goes_on_with_are_aborted_once_they_are_old(
    make_s3_store: MakeS3Store, seaweed_url: str, tmp_path: Path
) -> None:
    # Not on moto, which says of every upload that it was begun in 2010.
    store = make_s3_store(seaweed_url)
    client, bucket = store._client, store._bucket
    client.create_multipart_upload(Bucket=bucket, Key=store._key("shop/artifacts/1/a"))
    assert store.sweep_uploads(older=3_600) == 0
    assert store.sweep_uploads(older=-1) == 1
    assert store.sweep_uploads(older=-1) == 0
    path = tmp_path / "after"
    path.write_bytes(b"x")
    store.upload("shop/artifacts/1/b", path, sha256=sha256(b"x"))
