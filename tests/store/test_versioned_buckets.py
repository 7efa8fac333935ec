"""Buckets that keep older versions of objects, and locked ones, as moto has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest

from castoff.store import artifacts, lease
from castoff.store.artifacts import fetch_manifest
from castoff.store.errors import UnknownVersion
from castoff.store.garbage import Terms, collect
from castoff.store.public.bucket import PublicBucket
from castoff.store.public.publish import publish_files
from castoff.store.s3 import S3Store
from support import s3
from support.written_artifact import hashed, write_public

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LATER = 10**10


@pytest.fixture
def client(moto_url: str, aws_environment: None) -> S3Client:
    del aws_environment
    return boto3.client("s3", endpoint_url=moto_url, region_name=s3.REGION)


@pytest.fixture(params=["versions", "object lock"])
def bucket(request: pytest.FixtureRequest, client: S3Client) -> str:
    """Return a bucket that forgets nothing; one that is locked for a year."""
    name = f"kept-{uuid4().hex[:12]}"
    if request.param == "versions":
        client.create_bucket(Bucket=name)
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    client.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}},
        },
    )
    return name


Push = Callable[[str], None]


@pytest.fixture
def store(bucket: str, moto_url: str) -> S3Store:
    return S3Store(bucket, "releases", endpoint_url=moto_url)


@pytest.fixture
def place(bucket: str, moto_url: str) -> PublicBucket:
    return PublicBucket(bucket, "public", endpoint_url=moto_url)


@pytest.fixture
def push(store: S3Store, place: PublicBucket, tmp_path: Path) -> Push:
    """Return a function that pushes a version with an asset of its own."""

    def run(version: str) -> None:
        assets = {"app.js": version.encode()}
        artifact = write_public(tmp_path / "artifacts", "shop", version, assets)
        publish_files(store, place, artifact)
        artifacts.push(store, artifact)

    return run


def own(version: str) -> str:
    return hashed("app.js", version.encode())


def test_what_is_collected_is_gone_for_castoff_and_kept_by_the_bucket(
    client: S3Client, bucket: str, store: S3Store, place: PublicBucket, push: Push
) -> None:
    push("1")
    push("2")
    for turn in range(3):
        collect(store, "shop", lambda: {"2": "live"}, Terms(100, LATER + turn * 100), place=place)
    with pytest.raises(UnknownVersion):
        fetch_manifest(store, "shop", "1")
    assert set(place.listing()) == {own("2")}
    assert not [e.key for e in store.entries("shop/artifacts/1/")]

    kept = client.list_object_versions(Bucket=bucket)
    assert f"public/{own('1')}" in {one["Key"] for one in kept["Versions"]}
    assert f"public/{own('1')}" in {one["Key"] for one in kept["DeleteMarkers"]}


def test_a_version_that_was_collected_can_be_pushed_again(
    store: S3Store, place: PublicBucket, push: Push
) -> None:
    push("1")
    for turn in range(3):
        collect(store, "shop", dict, Terms(100, LATER + turn * 100), place=place)
    assert not place.listing()
    push("1")
    fetch_manifest(store, "shop", "1")
    assert set(place.listing()) == {own("1")}


def test_documents_are_replaced_and_leases_given_back(store: S3Store) -> None:
    for _ in range(2):
        held = lease.acquire(store, "shop", "production", owner="me@here", reason="trial", ttl=3600)
        lease.release(held)
    written = store.create("document", b"1")
    store.replace("document", b"2", etag=written)
    assert store.read("document").data == b"2"
