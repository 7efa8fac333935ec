"""Policies: enough for each role's work, and no more; enforced by moto's IAM."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest

from castoff.releaser.retention.good_releases import last_good
from castoff.store import artifacts, channel, condemned, lease
from castoff.store.artifacts import push
from castoff.store.errors import StoreError
from castoff.store.garbage import Terms, collect
from castoff.store.local_artifact import LocalArtifact
from castoff.store.probe import probe
from castoff.store.public.bucket import PublicBucket
from castoff.store.public.place import Headers
from castoff.store.public.publish import publish_files
from castoff.store.rights import Bucket, Role, SiteBucket, policy
from castoff.store.s3 import S3Store
from support import s3
from support.written_artifact import write_public

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

As = Callable[[Role], "tuple[S3Store, PublicBucket]"]
ROLES: tuple[Role, ...] = ("builder", "collector", "host")
PAGE = Headers("text/html; charset=utf-8", None, "max-age=60")

STORE = "s3://releases/castoff"
PUBLIC = "s3://public/shop"
WWW = "s3://www/shop"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a moto that asks IAM about every request, once it has been told to."""
    with s3.moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture
def act_as(guarded: str, monkeypatch: pytest.MonkeyPatch, aws_environment: None) -> Iterator[As]:
    del aws_environment
    _enforce(guarded, "1000000")
    root: S3Client = boto3.client("s3", endpoint_url=guarded)
    for url in (STORE, PUBLIC, WWW):
        root.create_bucket(Bucket=Bucket.at(url).name)
    iam = boto3.client("iam", endpoint_url=guarded)

    def become(role: Role) -> tuple[S3Store, PublicBucket]:
        _enforce(guarded, "1000000")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.ACCESS_KEY)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.SECRET_KEY)
        user = f"{role}-{uuid4().hex[:8]}"
        iam.create_user(UserName=user)
        site = SiteBucket(Bucket.at(WWW), "E1ABC", collected=True)
        document = policy(
            role, "shop", Bucket.at(STORE), place=Bucket.at(PUBLIC), cors=True, sites=[site]
        )
        iam.put_user_policy(
            UserName=user, PolicyName="castoff", PolicyDocument=json.dumps(document)
        )
        key = iam.create_access_key(UserName=user)["AccessKey"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        _enforce(guarded, "0")
        # The region makes each user's client another one to the cache of clients.
        region = f"us-{user}"
        return (
            S3Store("releases", "castoff", endpoint_url=guarded, region=region),
            PublicBucket("public", "shop", endpoint_url=guarded, region=region),
        )

    yield become
    _enforce(guarded, "1000000")


@pytest.fixture
def artifact(tmp_path: Path) -> LocalArtifact:
    return write_public(tmp_path / "artifacts", "shop", "1", {"a.css": b"a{}"})


def _enforce(url: str, count: str) -> None:
    """Say after how many requests moto asks IAM."""
    request = urllib.request.Request(
        f"{url}/moto-api/reset-auth", count.encode(), {"Content-Type": "text/plain"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def test_a_builder_can_push_and_change_no_environment(
    act_as: As, artifact: LocalArtifact, tmp_path: Path
) -> None:
    store, place = act_as("releaser")
    channel.advance(store, "shop", "staging", None, current="0", previous=None, release="r")
    store, place = act_as("builder")
    probe(store, cache=tmp_path / "cache")
    assert publish_files(store, place, artifact, origins=["*"]).sent == 1
    assert push(store, artifact).created
    assert last_good(store, "shop", 3) == ["0"]
    with pytest.raises(StoreError, match="denied"):
        channel.advance(store, "shop", "production", None, current="1", previous=None, release="r")
    with pytest.raises(StoreError, match="denied"):
        store.delete("shop/artifacts/1/manifest.json")
    with pytest.raises(StoreError, match="Access Denied"):
        place.delete(["a.css"])


def test_a_releaser_can_record_and_change_no_version(
    act_as: As, artifact: LocalArtifact, tmp_path: Path
) -> None:
    store, place = act_as("builder")
    publish_files(store, place, artifact)
    push(store, artifact)

    store, place = act_as("releaser")
    probe(store, cache=tmp_path / "cache")
    manifest, _ = artifacts.fetch_manifest(store, "shop", "1")
    artifacts.fetch_table(store, manifest)
    condemned.spare(store, "shop", version="1")
    with lease.held(store, "shop", "production", owner="me", reason="test"):
        channel.advance(store, "shop", "production", None, current="1", previous=None, release="r")
    with pytest.raises(StoreError, match="denied"):
        store.create("shop/artifacts/2/manifest.json", b"{}")
    with pytest.raises(StoreError, match="denied"):
        place.listing()


def test_a_host_can_read_versions_alone(act_as: As, artifact: LocalArtifact) -> None:
    store, place = act_as("builder")
    publish_files(store, place, artifact)
    push(store, artifact)
    channel_key = "shop/environments/production/channel.json"

    store, _ = act_as("host")
    assert store.read("shop/artifacts/1/manifest.json").data == artifact.manifest_bytes
    with pytest.raises(StoreError, match="denied"):
        store.read(channel_key)
    with pytest.raises(StoreError, match="denied"):
        list(store.entries("shop/"))


def test_a_collector_can_remove_and_release_nothing(act_as: As, artifact: LocalArtifact) -> None:
    store, place = act_as("builder")
    publish_files(store, place, artifact)
    push(store, artifact)

    store, place = act_as("collector")
    # Without the place: moto refuses DeleteObjects whatever the policy says of s3:DeleteObject.
    for moment in (1e11, 2e11):
        collect(store, "shop", dict, Terms(1.0, moment))
    assert list(store.entries("shop/artifacts/")) == []
    assert len(place.listing()) == 1
    with pytest.raises(StoreError, match="denied"):
        lease.acquire(store, "shop", "production", owner="me", reason="test")


def test_only_a_releaser_can_publish_a_site(act_as: As, guarded: str) -> None:
    for role in ROLES:
        act_as(role)
        with pytest.raises(StoreError, match="denied"):
            _site(guarded, role).put("index.html", b"<p>", PAGE)
    act_as("releaser")
    site = _site(guarded, "releaser")
    site.put("index.html", b"<p>", PAGE)
    assert set(site.listing()) == {"index.html"}
    assert site.read("index.html") == b"<p>"


def _site(endpoint: str, role: Role) -> PublicBucket:
    # The region makes it another client than that of whoever acted before.
    region = f"us-{role}-{uuid4().hex[:8]}"
    return PublicBucket("www", "shop", endpoint_url=endpoint, region=region)


def test_a_releaser_may_tell_just_the_sites_own_distribution() -> None:
    sites = [SiteBucket(Bucket.at(WWW), "E1ABC", collected=True)]
    statements = policy("releaser", "shop", Bucket.at(STORE), sites=sites)["Statement"]
    (tell,) = [one for one in statements if one["Sid"] == "TellCloudFront"]
    assert tell["Resource"] == ["arn:aws:cloudfront::*:distribution/E1ABC"]
    assert "cloudfront:CreateInvalidation" in tell["Action"]
