"""The connection to an S3 server, as every part of Castoff that speaks S3 wants it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

from castoff.store.backend import MOST_REQUESTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@lru_cache(maxsize=8)
def client(
    endpoint_url: str | None,
    region: str | None,
    profile: str | None,
    path_style: bool | None,
    timeout: float = 20,
) -> S3Client:
    """Return the process's client for these settings; making one takes 0.2 s.

    `timeout` is for how many seconds the server may be silent; a request is tried three times.

    Raises:
        BotoCoreError: There is no such profile.
        ValueError: The endpoint is not a URL.
    """
    style: Literal["auto", "path", "virtual"] = "auto" if endpoint_url is None else "path"
    if path_style is not None:
        style = "path" if path_style else "virtual"
    return boto3.Session(profile_name=profile, region_name=region).client(
        "s3",
        endpoint_url=endpoint_url,
        config=Config(
            signature_version="s3v4",
            # Checksums in trailers fail on some servers; documents carry theirs in a header.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=min(timeout, 10),
            read_timeout=timeout,
            retries={"mode": "standard", "max_attempts": 3},
            max_pool_connections=MOST_REQUESTS,
            s3={"addressing_style": style},
        ),
    )
