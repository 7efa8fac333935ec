"""Fixtures that give a test S3 servers; each starts when the first test of a run asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import pytest

from support import s3

if TYPE_CHECKING:
    from castoff.store.s3 import S3Store


class MakeS3Store(Protocol):
    """Opens stores on a server."""

    def __call__(self, endpoint: str, *, bucket: str | None = None) -> S3Store:
        """Return a store in a bucket of its own, or in the one that is named."""


@pytest.fixture(scope="session")
def moto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the endpoint of moto: S3's API without its promises."""
    with s3.moto(tmp_path_factory.mktemp("moto")) as url:
        yield url


@pytest.fixture(scope="session")
def seaweed_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the endpoint of SeaweedFS, which decides conditional writes as S3 does."""
    with s3.seaweed(tmp_path_factory.mktemp("seaweed")) as url:
        yield url


@pytest.fixture
def aws_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process, and those it starts, log in to the test servers."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in s3.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def make_s3_store(aws_environment: None) -> MakeS3Store:
    """Return a function that opens a store on a test server."""
    del aws_environment

    def make(endpoint: str, *, bucket: str | None = None) -> S3Store:
        from castoff.store.s3 import S3Store

        return S3Store(bucket or s3.make_bucket(endpoint), "some/prefix", endpoint_url=endpoint)

    return make
