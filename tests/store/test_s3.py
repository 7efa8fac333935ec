"""What only an S3 store does, and what it says when it cannot."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from castoff.store.digest import sha256
from castoff.store.errors import Conflict, CorruptArtifact, StoreError
from castoff.store.public.bucket import PublicBucket
from castoff.store.public.place import FOR_EVER, Headers
from castoff.store.s3 import S3Store
from castoff.store.s3_checksum import Mode
from support import s3
from support.ports import free_ports
from support.s3_fixtures import MakeS3Store
from support.s3_gateway import gateway


def test_a_creation_whose_answer_was_lost_is_not_taken_for_anothers(
    seaweed_url: str, make_s3_store: MakeS3Store
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    with gateway(seaweed_url) as unsteady:
        store = make_s3_store(unsteady.url, bucket=bucket)
        unsteady.lost = 1

        etag = store.create("a/doc", b"ours")

        assert sum(request.startswith("PUT") for request in unsteady.requests) == 2
        assert store.read("a/doc").data == b"ours"
        assert store.read("a/doc").etag == etag


def test_a_replacement_whose_answer_was_lost_is_not_taken_for_anothers(
    seaweed_url: str, make_s3_store: MakeS3Store
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    with gateway(seaweed_url) as unsteady:
        store = make_s3_store(unsteady.url, bucket=bucket)
        first = store.create("a/doc", b"first")
        unsteady.lost = 1

        second = store.replace("a/doc", b"second", etag=first)

        assert store.read("a/doc").data == b"second"
        assert store.read("a/doc").etag == second


def test_a_conflict_whose_answer_was_lost_is_still_a_conflict(
    seaweed_url: str, make_s3_store: MakeS3Store
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    with gateway(seaweed_url) as unsteady:
        store = make_s3_store(unsteady.url, bucket=bucket)
        store.create("a/doc", b"theirs")
        unsteady.lost = 1

        with pytest.raises(Conflict):
            store.create("a/doc", b"ours")

        assert store.read("a/doc").data == b"theirs"


def test_keys_lie_below_the_prefix(seaweed_url: str, make_s3_store: MakeS3Store) -> None:
    bucket = s3.make_bucket(seaweed_url)
    store = make_s3_store(seaweed_url, bucket=bucket)
    s3.put(seaweed_url, bucket, "some/prefix-of-another/doc", b"")
    s3.put(seaweed_url, bucket, "doc", b"")
    store.create("doc", b"ours")

    assert [entry.key for entry in store.entries("")] == ["doc"]
    bare = S3Store(bucket, "", endpoint_url=seaweed_url)
    assert bare.read("some/prefix/doc").data == b"ours"
    assert bare.url == f"s3://{bucket}"
    assert store.url == f"s3://{bucket}/some/prefix"


def get(url: str, **headers: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.netloc, timeout=30)) as connection:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def test_a_presigned_url_gives_one_object_or_a_part_of_it(
    seaweed_url: str, make_s3_store: MakeS3Store
) -> None:
    store = make_s3_store(seaweed_url)
    store.create("a/doc", b"0123456789")
    store.create("a/other", b"secret")

    url = store.fetch_url("a/doc", expires=60)

    assert url is not None
    assert get(url, Range="bytes=2-4") == (206, b"234")
    assert get(url.replace("a/doc", "a/other"))[0] == 403


def test_a_blob_damaged_in_the_store_is_not_handed_out(
    seaweed_url: str, make_s3_store: MakeS3Store, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    store = make_s3_store(seaweed_url, bucket=bucket)
    s3.put(seaweed_url, bucket, "some/prefix/a/blob", b"damaged!")

    with pytest.raises(CorruptArtifact, match="a/blob"):
        store.download("a/blob", tmp_path / "back", sha256=sha256(b"original"))

    assert not (tmp_path / "back").exists()


def test_without_credentials_the_message_says_where_to_put_them(
    moto_url: str, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    del aws_environment
    bucket = s3.make_bucket(moto_url)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    # Another region, so that this process has no client for these settings yet.
    store = S3Store(bucket, "", endpoint_url=moto_url, region="eu-north-1")

    for use in (
        lambda: store.read("a/doc"),
        lambda: store.create("a/doc", b""),
        lambda: list(store.entries("")),
        lambda: store.fetch_url("a/doc", expires=60),
    ):
        with pytest.raises(StoreError, match="no credentials") as caught:
            use()
        assert bucket in caught.value.message
        assert moto_url in caught.value.message
        assert "AWS_PROFILE" in caught.value.hint


def test_an_endpoint_that_does_not_answer_is_named(make_s3_store: MakeS3Store) -> None:
    (port,) = free_ports(1)
    store = make_s3_store(f"http://127.0.0.1:{port}", bucket="a-bucket")

    with pytest.raises(StoreError, match="cannot be reached") as caught:
        store.read("a/doc")

    assert f"s3://a-bucket/some/prefix at http://127.0.0.1:{port}: a/doc" in caught.value.message
    assert "endpoint_url" in caught.value.hint


@pytest.mark.parametrize("server", ["moto_url", "seaweed_url"])
def test_a_missing_bucket_is_named(
    request: pytest.FixtureRequest, server: str, make_s3_store: MakeS3Store
) -> None:
    endpoint: str = request.getfixturevalue(server)
    store = make_s3_store(endpoint, bucket="not-there-at-all")

    for use in (lambda: store.read("a/doc"), lambda: list(store.entries(""))):
        with pytest.raises(StoreError, match="there is no such bucket") as caught:
            use()
        assert type(caught.value) is StoreError
        assert "s3://not-there-at-all" in caught.value.message


def test_a_document_is_not_created_in_a_missing_bucket(
    moto_url: str, make_s3_store: MakeS3Store
) -> None:
    store = make_s3_store(moto_url, bucket="not-there-at-all")

    writes: tuple[Callable[[], str], ...] = (
        lambda: store.create("a/doc", b""),
        lambda: store.replace("a/doc", b"", etag="x"),
    )
    for write in writes:
        with pytest.raises(StoreError, match="there is no such bucket") as caught:
            write()
        assert type(caught.value) is StoreError


@pytest.mark.parametrize(
    ("access_key", "secret_key", "message", "hint"),
    [
        (s3.ACCESS_KEY, "wrong", "secret key does not fit", "AWS_PROFILE"),
        ("nobody", s3.SECRET_KEY, "does not know this access key", "AWS_PROFILE"),
        (s3.READER_KEY, s3.SECRET_KEY, "access is denied", "s3:PutObject"),
    ],
    ids=["secret", "key", "rights"],
)
def test_a_refusal_says_what_is_wrong(
    seaweed_url: str,
    aws_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    access_key: str,
    secret_key: str,
    message: str,
    hint: str,
) -> None:
    del aws_environment
    bucket = s3.make_bucket(seaweed_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
    # A region of its own, so that the process's client for these settings is a new one.
    region = f"test-{sha256(f'{access_key}{secret_key}'.encode())[:8]}"
    store = S3Store(bucket, "", endpoint_url=seaweed_url, region=region)

    with pytest.raises(StoreError, match=message) as caught:
        store.create("a/doc", b"")

    assert f"s3://{bucket} at {seaweed_url}: a/doc" in caught.value.message
    assert hint in caught.value.hint
    assert secret_key not in caught.value.message + caught.value.hint


def test_an_unknown_profile_is_named(aws_environment: None) -> None:
    del aws_environment

    with pytest.raises(StoreError, match="nobodys-profile") as caught:
        S3Store("a-bucket", "", profile="nobodys-profile")

    assert "list-profiles" in caught.value.hint


def test_an_endpoint_that_is_no_url_is_named(aws_environment: None) -> None:
    del aws_environment

    with pytest.raises(StoreError, match="not a url"):
        S3Store("a-bucket", "", endpoint_url="not a url")


def test_a_download_that_breaks_off_is_taken_up_again(
    seaweed_url: str, make_s3_store: MakeS3Store, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    data = os.urandom(300_000)
    s3.put(seaweed_url, bucket, "some/prefix/a/blob", data)
    with gateway(seaweed_url) as unsteady:
        unsteady.cut = 1

        make_s3_store(unsteady.url, bucket=bucket).download(
            "a/blob", tmp_path / "back", sha256=sha256(data)
        )

    assert unsteady.cut == 0
    assert (tmp_path / "back").read_bytes() == data


def test_a_download_that_always_breaks_off_leaves_nothing(
    seaweed_url: str, make_s3_store: MakeS3Store, tmp_path: Path
) -> None:
    bucket = s3.make_bucket(seaweed_url)
    s3.put(seaweed_url, bucket, "some/prefix/a/blob", os.urandom(300_000))
    with gateway(seaweed_url) as broken:
        broken.cut = 1_000

        with pytest.raises(StoreError, match="cannot be reached"):
            make_s3_store(broken.url, bucket=bucket).download(
                "a/blob", tmp_path / "back", sha256="0" * 64
            )

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("server", ["moto", "seaweed"])
@pytest.mark.parametrize(
    ("mode", "sent", "not_sent"),
    [
        ("sha256", "x-amz-checksum-sha256", "Content-MD5"),
        ("md5", "Content-MD5", "x-amz-checksum-sha256"),
    ],
)
def test_a_server_is_told_the_digest_that_it_knows(
    request: pytest.FixtureRequest,
    aws_environment: None,
    tmp_path: Path,
    server: str,
    mode: Mode,
    sent: str,
    not_sent: str,
) -> None:
    del aws_environment
    endpoint: str = request.getfixturevalue(f"{server}_url")
    bucket = s3.make_bucket(endpoint)
    # The region makes both a client of their own, whose requests are watched.
    region = f"us-{bucket}"
    store = S3Store(bucket, "store", checksums=mode, endpoint_url=endpoint, region=region)
    place = PublicBucket(bucket, "public", checksums=mode, endpoint_url=endpoint, region=region)
    headers: list[set[str]] = []
    assert store._client is place._client
    store._client.meta.events.register(
        "before-call.s3.PutObject", lambda params, **_: headers.append(set(params["headers"]))
    )
    path = tmp_path / "file"
    path.write_bytes(b"data")

    store.create("a/doc", b"data")
    store.upload("a/file", path, sha256=sha256(b"data"))
    place.put("a.css", b"data", Headers("text/css", None, FOR_EVER))

    assert len(headers) == 3
    assert all(sent in one and not_sent not in one for one in headers)
    assert store.read("a/file").data == place.read("a.css") == b"data"
