"""Stores in a bucket, `s3://`, of AWS or of any server that honours conditional writes.

It imports boto3, which costs 0.6 s; import it only for an `s3://` URL.
Documents are written by single PUT requests with `If-None-Match` or `If-Match`: those are the
ones that every capable server decides atomically (conditional multipart uploads and copies let
several racers win on some).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from castoff.store import s3_multipart as multipart
from castoff.store.backend import Document, Entry, Progress
from castoff.store.digest import sha256_file
from castoff.store.durable import new_file
from castoff.store.errors import Conflict, CorruptArtifact, ObjectMissing
from castoff.store.key import check_key, check_prefix
from castoff.store.s3_bucket import ABSENT, S3Bucket
from castoff.store.s3_errors import code_of, retries_of, status_of

_MIB = 1024 * 1024
_LARGE = 16 * _MIB
# Measured against the default settings: 434 MB/s, not 309. `crt` would ignore the endpoint.
_TRANSFER = TransferConfig(
    preferred_transfer_client="classic",
    multipart_threshold=_LARGE,
    multipart_chunksize=_LARGE,
    max_concurrency=4,
    io_chunksize=_MIB,
)
# RFC 9110 says 412; S3 says 409 where another conditional write is under way.
_LOST = {409, 412}


class S3Store(S3Bucket):
    """A store below a prefix in a bucket; `S3Bucket` says how it is addressed."""

    @property
    def identity(self) -> str:
        """The URL with the endpoint, if one is configured."""
        return self._place

    def read(self, key: str) -> Document:
        """Return a document. Raises ObjectMissing."""
        with self._translated(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            return Document(answer["Body"].read(), _tag(answer["ETag"]))

    def create(self, key: str, data: bytes) -> str:
        """Write a document that must not be there yet; return its entity tag. Raises Conflict."""
        return self._put(key, data, {"IfNoneMatch": "*"})

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        """Write a document over the one that has `etag`. Raises Conflict."""
        # Without quotes: RGW refuses the quoted form, and all others take both.
        return self._put(key, data, {"IfMatch": etag})

    def upload(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        """Send a file to `key` unless an object of its size is there. Raises CorruptArtifact."""
        name = self._key(key)
        with self._translated(key), path.open("rb") as file:
            size = path.stat().st_size
            if self._size(key) == size:
                return
            if sha256_file(path) != sha256:
                raise CorruptArtifact(f"{path}: its content is not that of {key}")
            if size >= _LARGE:
                multipart.upload(self._client, self._bucket, name, path, progress=progress)
                return
            data = file.read()
            self._client.put_object(
                Bucket=self._bucket, Key=name, Body=data, **self._checksum(data)
            )
        if progress is not None:
            progress(size)

    def download(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        """Fetch an object to `path` once its digest is right.

        Raises ObjectMissing, CorruptArtifact.
        """
        with self._translated(key), new_file(path) as new:
            # The new file can only be written to, so that the blocks come in their order, hashed.
            self._client.download_fileobj(
                self._bucket,
                self._key(key),
                cast("IO[Any]", new),
                Callback=progress,
                Config=_TRANSFER,
            )
            if new.sha256 != sha256:
                raise CorruptArtifact(
                    f"{self._place}: the object at {key} does not match its digest",
                    hint="It is damaged; push the version again from where it was built.",
                )
            new.replace()

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Yield all objects whose key starts with `prefix`, sorted by key."""
        found: list[Entry] = []
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + check_prefix(prefix)
            )
            for page in pages:
                found += [
                    Entry(
                        item["Key"].removeprefix(self._prefix),
                        item["Size"],
                        item["LastModified"].timestamp(),
                    )
                    for item in page.get("Contents", [])
                ]
        # Some servers list folder by folder, which is another order.
        yield from sorted(found, key=lambda entry: entry.key)

    def delete(self, key: str) -> None:
        """Remove an object; no error if there is none."""
        try:
            with self._translated(key):
                self._client.delete_object(Bucket=self._bucket, Key=self._key(key))
        except ObjectMissing:
            return

    def sweep_uploads(self, *, older: float) -> int:
        """Abort multipart uploads that were begun that long ago; return how many."""
        with self._translated("unfinished uploads"):
            return multipart.abort_stale(self._client, self._bucket, self._prefix, older=older)

    def fetch_url(self, key: str, *, expires: int) -> str | None:
        """Return a presigned GET URL; it ends earlier if the credentials behind it do."""
        with self._translated(key):
            return self._client.generate_presigned_url(
                "get_object",
                Params={"Bucket": self._bucket, "Key": self._key(key)},
                ExpiresIn=expires,
            )

    def local_path(self, key: str) -> Path | None:
        """Return None: objects lie on another machine."""
        check_key(key)
        return None

    def _key(self, key: str) -> str:
        return self._prefix + check_key(key)

    def _size(self, key: str) -> int | None:
        try:
            with self._translated(key):
                answer = self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except ObjectMissing:
            return None
        return answer["ContentLength"]

    def _put(self, key: str, data: bytes, condition: dict[str, Any]) -> str:
        name = self._key(key)
        with self._translated(key):
            try:
                answer = self._client.put_object(
                    Bucket=self._bucket,
                    Key=name,
                    Body=data,
                    ContentType="application/json",
                    **self._checksum(data),
                    **condition,
                )
            except ClientError as error:
                gone = code_of(error) in ABSENT and "IfMatch" in condition
                if status_of(error) not in _LOST and not gone:
                    raise
                # A request that was sent again may have met its own first, answered copy.
                if retries_of(error) and (ours := self._reread(key, data)) is not None:
                    return ours
                state = "changed by another" if "IfMatch" in condition else "written already"
                raise Conflict(f"{self._place}: {key} has been {state}") from error
        return _tag(answer["ETag"])

    def _reread(self, key: str, data: bytes) -> str | None:
        try:
            there = self.read(key)
        except ObjectMissing:
            return None
        return there.etag if there.data == data else None


def _tag(header: str) -> str:
    return header.strip('"')
