"""Public files in a bucket, of AWS or of any S3-compatible server."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from castoff.store.errors import StoreError
from castoff.store.public.key import check_public_key
from castoff.store.public.place import Headers, Placed
from castoff.store.s3_bucket import S3Bucket
from castoff.store.s3_errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CORSRuleOutputTypeDef

_NO_RULES = {"NoSuchCORSConfiguration", "404"}
_UNKNOWN = {"NotImplemented", "MethodNotAllowed", "405", "501"}
# The most that DeleteObjects takes.
_BATCH = 1_000


class PublicBucket(S3Bucket):
    """A place below a prefix in a bucket; `S3Bucket` says how it is addressed."""

    def listing(self, prefix: str = "") -> dict[str, Placed]:
        """Return all files whose key starts with `prefix`, by key."""
        found: dict[str, Placed] = {}
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            for page in pages:
                for item in page.get("Contents", []):
                    key = item["Key"].removeprefix(self._prefix)
                    modified = item["LastModified"].timestamp()
                    found[key] = Placed(key, item["Size"], modified)
        return found

    def put(self, key: str, data: bytes, headers: Headers) -> None:
        """Write a file, whole or not at all, over any that is there."""
        more: dict[str, Any] = self._checksum(data)
        if headers.content_encoding is not None:
            more["ContentEncoding"] = headers.content_encoding
        with self._translated(key):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(key),
                Body=data,
                ContentType=headers.content_type,
                CacheControl=headers.cache_control,
                **more,
            )

    def read(self, key: str) -> bytes:
        """Return a file's bytes. Raises ObjectMissing."""
        with self._translated(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(key))
            return answer["Body"].read()

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files, a thousand with each request."""
        rest = iter(keys)
        while batch := list(islice(rest, _BATCH)):
            with self._translated(batch[0]):
                answer = self._client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": [{"Key": self._key(key)} for key in batch], "Quiet": True},
                )
            for failure in answer.get("Errors", []):
                raise StoreError(
                    f"{self._place}: {failure.get('Key', '')} cannot be removed: "
                    f"{failure.get('Message', failure.get('Code', 'no reason given'))}"
                )

    def allow_origins(self, origins: Sequence[str]) -> bool:
        """Add a rule to the bucket that lets pages of these origins read, if none does yet.

        Returns:
            False if the server knows no such rules.

        Raises:
            StoreError: Access is denied, or the server cannot be reached.
        """
        with self._translated("its CORS rules"):
            try:
                rules = self._client.get_bucket_cors(Bucket=self._bucket)["CORSRules"]
            except ClientError as error:
                if code_of(error) in _UNKNOWN:
                    return False
                if code_of(error) not in _NO_RULES:
                    raise
                rules = []
            missing = [origin for origin in origins if not any(_allows(r, origin) for r in rules)]
            if missing:
                rule: dict[str, Any] = {
                    "AllowedMethods": ["GET", "HEAD"],
                    "AllowedOrigins": missing,
                    "MaxAgeSeconds": 3_600,
                }
                kept: Any = [*rules, rule]
                self._client.put_bucket_cors(
                    Bucket=self._bucket, CORSConfiguration={"CORSRules": kept}
                )
        return True

    def _key(self, key: str) -> str:
        return self._prefix + check_public_key(key)


def _allows(rule: CORSRuleOutputTypeDef, origin: str) -> bool:
    return "GET" in rule["AllowedMethods"] and bool({"*", origin} & set(rule["AllowedOrigins"]))
