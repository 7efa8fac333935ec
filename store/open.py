"""From a URL to the store that it names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from castoff.store.backend import Store
from castoff.store.errors import UsageError
from castoff.store.file import FileStore
from castoff.store.key import check_prefix
from castoff.store.s3_checksum import Mode

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_KNOWN = "Known are file:///absolute/path, file://path/beside/castoff.toml and s3://bucket/prefix."


def open_store(
    url: str,
    *,
    base: Path,
    endpoint_url: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    path_style: bool | None = None,
    timeout: float = 20,
    checksums: Mode = "sha256",
) -> Store:
    """Return the store at a URL; nothing is asked of it yet.

    Args:
        url: `file:///absolute`, `file://relative/to/base` or `s3://bucket/prefix`.
        base: Where relative paths begin: the directory of castoff.toml.
        endpoint_url: For S3-compatible stores other than AWS.
        region: For S3; default: the AWS configuration's.
        profile: For S3: a named profile of the AWS configuration.
        path_style: For S3: the bucket in the path instead of the host name; default: only with
            an endpoint URL.
        timeout: For S3: seconds that the server may be silent.
        checksums: For S3: by which digest the server is told what it gets.

    Raises:
        UsageError: The URL names no store that Castoff knows, or holds credentials.
        StoreError: The AWS configuration has no such profile.
    """
    scheme, rest = check_store_url(url, endpoint_url)
    if scheme == "file":
        return FileStore(base / unquote(rest), url=url)
    bucket, prefix = split_s3(url)
    # Here, so that boto3 is loaded only where a bucket is used: it costs 0.6 s.
    from castoff.store.s3 import S3Store

    return S3Store(
        bucket,
        prefix,
        endpoint_url=endpoint_url,
        region=region,
        profile=profile,
        path_style=path_style,
        timeout=timeout,
        checksums=checksums,
    )


def check_store_url(url: str, endpoint_url: str | None) -> tuple[str, str]:
    """Return a URL's scheme, `file` or `s3`, and what follows `://`.

    Raises:
        UsageError: It is of another scheme, names no path, or holds credentials.
    """
    scheme, found, rest = url.partition("://")
    if not found or scheme not in ("file", "s3"):
        raise UsageError(f"not the URL of a store: {_shown(url)}", hint=_KNOWN)
    if scheme == "file":
        path = unquote(rest)
        if not path or path.startswith("~") or "\0" in path:
            raise UsageError(f"not the path of a store: {url!r}", hint=_KNOWN)
        return scheme, rest
    for address in (url, endpoint_url or ""):
        if "@" in urlsplit(address).netloc:
            raise UsageError(
                f"credentials stand in the URL {_shown(address)}",
                hint="Take them out; Castoff reads them from the AWS configuration.",
            )
    return scheme, rest


def split_s3(url: str) -> tuple[str, str]:
    """Return the bucket and the prefix of an `s3://` URL.

    Raises:
        UsageError: One of them could not be one.
    """
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"not the name of a bucket: {bucket!r} in {url!r}", hint=_KNOWN)
    return bucket, check_prefix(prefix.rstrip("/"))


def _shown(url: str) -> str:
    """Return the URL without what stands before an `@`, which may be a secret."""
    scheme, found, rest = url.rpartition("@")
    return repr(f"{scheme.partition('://')[0]}://…@{rest}" if found else url)
