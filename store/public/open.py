"""From a URL to the place of public files that it names."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from castoff.store.open import check_store_url, split_s3
from castoff.store.public.folder import PublicFolder
from castoff.store.public.place import Place
from castoff.store.s3_checksum import Mode


def open_place(
    url: str,
    *,
    base: Path,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    path_style: bool | None = None,
    checksums: Mode = "sha256",
) -> Place:
    """Return the place at a URL; nothing is asked of it yet. Arguments as of `open_store`.

    Raises:
        UsageError: The URL names no place that Castoff knows, or holds credentials.
        StoreError: The AWS configuration has no such profile.
    """
    scheme, rest = check_store_url(url, endpoint_url)
    if scheme == "file":
        return PublicFolder(base / unquote(rest), url=url)
    bucket, prefix = split_s3(url)
    # Here, so that boto3 is loaded only where a bucket is used.
    from castoff.store.public.bucket import PublicBucket

    return PublicBucket(
        bucket,
        prefix,
        endpoint_url=endpoint_url,
        region=region,
        profile=profile,
        path_style=path_style,
        checksums=checksums,
    )
