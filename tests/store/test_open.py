"""From URLs to stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.errors import UsageError
from castoff.store.file import FileStore
from castoff.store.open import open_store


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///srv/store", "/srv/store"),
        ("file://artifacts/store", "{base}/artifacts/store"),
        ("file://../shared", "{base}/../shared"),
        ("file:///srv/my%20store", "/srv/my store"),
    ],
)
def test_a_file_url_names_a_directory(tmp_path: Path, url: str, path: str) -> None:
    store = open_store(url, base=tmp_path)

    assert isinstance(store, FileStore)
    assert store.url == url
    assert store.identity == Path(path.format(base=tmp_path)).as_uri()


def test_opening_a_directory_makes_nothing(tmp_path: Path) -> None:
    list(open_store("file://store", base=tmp_path).entries(""))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("aws_environment")
def test_an_s3_url_names_a_bucket_and_a_prefix(tmp_path: Path) -> None:
    store = open_store("s3://a-bucket/some/prefix/", base=tmp_path)
    other = open_store(
        "s3://a-bucket/some/prefix", base=tmp_path, endpoint_url="http://127.0.0.1:1"
    )

    assert store.url == other.url == "s3://a-bucket/some/prefix"
    assert store.identity != other.identity


@pytest.mark.usefixtures("aws_environment")
def test_the_bucket_stands_where_the_settings_say(tmp_path: Path) -> None:
    def address(**settings: object) -> str:
        url = open_store("s3://a-bucket", base=tmp_path, **settings).fetch_url(  # type: ignore[arg-type]
            "a/doc", expires=60
        )
        assert url is not None
        return url.partition("?")[0]

    at = {"endpoint_url": "http://storage.test:9000"}
    assert address(region="eu-north-1").startswith("https://a-bucket.s3.")
    assert address(path_style=True, region="eu-north-1").endswith("amazonaws.com/a-bucket/a/doc")
    assert address(**at) == "http://storage.test:9000/a-bucket/a/doc"
    assert address(**at, path_style=False) == "http://a-bucket.storage.test:9000/a/doc"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "artifacts/store",
        "/srv/store",
        "file:/srv/store",
        "file://",
        "file://~/store",
        "file://a%00b",
        "gs://bucket/prefix",
        "http://host/store",
        "s3://",
        "s3:///prefix",
        "s3://Bad_Bucket/prefix",
        "s3://a-bucket:9000/prefix",
    ],
)
def test_any_other_url_is_refused_with_those_that_are_known(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url, base=tmp_path)

    assert "s3://bucket/prefix" in caught.value.hint


@pytest.mark.parametrize("prefix", ["../up", "a//b", "a/./b", "a?b", "a b"])
def test_a_prefix_that_is_no_key_is_refused(tmp_path: Path, prefix: str) -> None:
    with pytest.raises(UsageError, match="not a key"):
        open_store(f"s3://a-bucket/{prefix}", base=tmp_path)


@pytest.mark.parametrize(
    ("url", "endpoint_url"),
    [
        ("s3://AKIA123:hunter2@a-bucket/prefix", None),
        ("s3://a-bucket", "https://AKIA123:hunter2@storage.test"),
        ("gs://AKIA123:hunter2@a-bucket/prefix", None),
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(
    tmp_path: Path, url: str, endpoint_url: str | None
) -> None:
    with pytest.raises(UsageError) as caught:
        open_store(url, base=tmp_path, endpoint_url=endpoint_url)

    assert "hunter2" not in caught.value.message + caught.value.hint
    assert "AKIA123" not in caught.value.message + caught.value.hint
