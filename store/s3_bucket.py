"""A prefix in a bucket: its address, its connection, and the words for what goes wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from s3transfer.exceptions import RetriesExceededError

from castoff.store.errors import ObjectMissing, StoreError
from castoff.store.s3_checksum import Mode, checksum
from castoff.store.s3_client import client
from castoff.store.s3_errors import code_of, translate

ABSENT = frozenset({"NoSuchKey", "404"})


class S3Bucket:
    """What a store and a place for public files have in common.

    Args:
        bucket: The bucket's name.
        prefix: Keys begin with it and a `/`; may be empty.
        endpoint_url: The server, if it is not AWS.
        region: Default: the AWS configuration's.
        profile: A named profile of the AWS configuration. Default: the usual chain of
            environment, files and instance roles.
        path_style: Whether the bucket stands in the path instead of the host name. Default:
            where there is an endpoint URL.
        timeout: Seconds that the server may be silent; each request is tried three times.
        checksums: By which digest the server is told what it gets.

    Raises:
        StoreError: There is no such profile, or the endpoint is not a URL.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        path_style: bool | None = None,
        timeout: float = 20,
        checksums: Mode = "sha256",
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = endpoint_url
        self._checksums: Mode = checksums
        try:
            self._client = client(endpoint_url, region, profile, path_style, timeout)
        except (BotoCoreError, ValueError) as error:
            raise translate(error, self._place, "") from error

    @property
    def url(self) -> str:
        """The URL that the configuration names."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def _place(self) -> str:
        return self.url if self._endpoint is None else f"{self.url} at {self._endpoint}"

    def _checksum(self, data: bytes) -> dict[str, Any]:
        return dict(checksum(self._checksums, data))

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if code_of(error) in ABSENT:
                raise ObjectMissing(f"{self._place}: there is no object at {key}") from error
            raise translate(error, self._place, key) from error
        except (BotoCoreError, RetriesExceededError) as error:
            raise translate(error, self._place, key) from error
        except OSError as error:
            raise StoreError(f"{error.filename}: {error.strerror}") from error
