"""Large files to a bucket in parts, many at once; what was sent once is not sent again.

The steps are those of the S3 user guide ("Uploading and copying objects using multipart upload"):
create, upload parts, complete. Whoever uploads to a key first looks for an upload to it that was
begun and never completed: its parts count, as far as their MD5 digests (their entity tags) are
those of the file. The key holds the file's digest, so nobody else's upload to it can differ.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from castoff.store.s3_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART = 16 * 1024 * 1024
_THREADS = 4
_GONE = "NoSuchUpload"
# Servers without a list of uploads, and users who may not see it, can still begin one.
_UNKNOWN = {"NotImplemented", "MethodNotAllowed", "405", "501", "AccessDenied", "403"}


@dataclass(frozen=True, slots=True)
class _Slice:
    number: int
    offset: int
    size: int


def upload(
    client: S3Client,
    bucket: str,
    key: str,
    path: Path,
    *,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Send a file, going on with an upload that was interrupted if there is one.

    Args:
        client: The connection.
        bucket: The bucket.
        key: The object's whole key, which holds the file's digest.
        path: The file; at least one part.
        progress: Called with the number of bytes that are now there, for each part.

    Raises:
        ClientError, BotoCoreError: The server refuses or cannot be reached; the parts stay, for
            the next try.
        OSError: The file cannot be read.
    """
    begun = _begun(client, bucket, key)
    identifier = begun or client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    try:
        _send(client, bucket, key, identifier, path, progress)
    except ClientError as error:
        # Another who went on with the same upload has completed it, or the garbage collector came.
        if begun is None or code_of(error) != _GONE:
            raise
        identifier = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        _send(client, bucket, key, identifier, path, progress)


def abort_stale(client: S3Client, bucket: str, prefix: str, *, older: float) -> int:
    """Abort uploads below a prefix that were begun more than `older` seconds ago; return how many.

    Raises:
        ClientError, BotoCoreError: The server refuses or cannot be reached.
    """
    count = 0
    for item in _uploads(client, bucket, prefix):
        key, identifier, begun = item
        if time.time() - begun > older:
            with suppress(client.exceptions.NoSuchUpload):
                client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=identifier)
                count += 1
    return count


def _send(
    client: S3Client,
    bucket: str,
    key: str,
    identifier: str,
    path: Path,
    progress: Callable[[int], None] | None,
) -> None:
    there = _parts(client, bucket, key, identifier)

    def send(part: _Slice) -> CompletedPartTypeDef:
        with path.open("rb") as file:
            file.seek(part.offset)
            data = file.read(part.size)
        digest = hashlib.md5(data, usedforsecurity=False)
        tag = there.get(part.number)
        if tag != digest.hexdigest():
            tag = client.upload_part(
                Bucket=bucket,
                Key=key,
                UploadId=identifier,
                PartNumber=part.number,
                Body=data,
                ContentMD5=base64.b64encode(digest.digest()).decode(),
            )["ETag"]
        if progress is not None:
            progress(len(data))
        return {"PartNumber": part.number, "ETag": tag}

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="castoff-part") as pool:
        try:
            parts = list(pool.map(send, _slices(path.stat().st_size)))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    client.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=identifier, MultipartUpload={"Parts": parts}
    )


def _slices(size: int) -> Iterator[_Slice]:
    for number, offset in enumerate(range(0, size, PART), start=1):
        yield _Slice(number, offset, min(PART, size - offset))


def _begun(client: S3Client, bucket: str, key: str) -> str | None:
    """Return the newest upload to just this key that was begun and never completed."""
    try:
        found = [item for item in _uploads(client, bucket, key) if item[0] == key]
    except ClientError as error:
        if code_of(error) not in _UNKNOWN:
            raise
        return None
    return max(found, key=lambda item: item[2])[1] if found else None


def _uploads(client: S3Client, bucket: str, prefix: str) -> Iterator[tuple[str, str, float]]:
    """Yield key, identifier and beginning of each unfinished upload below a prefix."""
    pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for item in page.get("Uploads", []):
            yield item["Key"], item["UploadId"], item["Initiated"].timestamp()


def _parts(client: S3Client, bucket: str, key: str, identifier: str) -> dict[int, str]:
    pages = client.get_paginator("list_parts").paginate(Bucket=bucket, Key=key, UploadId=identifier)
    return {
        part["PartNumber"]: part["ETag"].strip('"')
        for page in pages
        for part in page.get("Parts", [])
    }
