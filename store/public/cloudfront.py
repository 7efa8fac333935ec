"""Amazon CloudFront in front of a site: forget what has changed, and look elsewhere.

The only module that speaks to it; imported only where a distribution is configured. An invalidation
and a change of a distribution are asked for and then waited for (CloudFront developer guide,
"Invalidate files to remove content", "Update a distribution").
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from castoff.store.errors import StoreError
from castoff.store.public.key import url_of
from castoff.store.s3_errors import code_of, translate

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

# What one invalidation of paths may hold; beyond it, one wildcard costs no more.
_MOST_PATHS = 1_000
_PAUSE = 2.0
_CHANGED = "PreconditionFailed"


class Distribution:
    """One distribution.

    Args:
        identifier: As in `E1ABCDEF`.
        region: Default: the AWS configuration's.
        profile: A named profile of the AWS configuration.
        pause: Seconds between two looks at what is waited for.
    """

    def __init__(
        self,
        identifier: str,
        *,
        region: str | None = None,
        profile: str | None = None,
        pause: float = _PAUSE,
    ) -> None:
        self._id = identifier
        self._settings = (region, profile)
        self._pause = pause

    def invalidate(self, keys: Sequence[str], *, base: str = "/", timeout: float) -> None:
        """Make every edge forget these files, and the folders whose `index.html` they are.

        Args:
            keys: The files.
            base: Where they begin on the distribution, as readers see it: a path with a slash at
                its end.
            timeout: Seconds until every edge must have forgotten them.

        Raises:
            StoreError: CloudFront refuses, or is not done in `timeout` seconds.
        """
        paths = {url_of(base, key) for key in keys}
        paths |= {path.removesuffix("index.html") for path in paths if path.endswith("/index.html")}
        if not paths:
            return
        items = sorted(paths) if len(paths) <= _MOST_PATHS else [f"{base}*"]
        with self._translated():
            asked = self._client.create_invalidation(
                DistributionId=self._id,
                InvalidationBatch={
                    "Paths": {"Quantity": len(items), "Items": items},
                    "CallerReference": f"castoff-{secrets.token_hex(12)}",
                },
            )["Invalidation"]
            deadline = time.monotonic() + timeout
            # Servers that speak CloudFront's language spell it in capitals.
            while asked["Status"].lower() != "completed":
                self._wait(deadline, f"the invalidation {asked['Id']}", timeout)
                asked = self._client.get_invalidation(DistributionId=self._id, Id=asked["Id"])[
                    "Invalidation"
                ]

    def point_to(self, folder: str, *, timeout: float) -> None:
        """Make every origin in a bucket answer from a folder of it, at every edge; or the only one.

        Args:
            folder: The origin path, as in `/www/releases/1.4.2`.
            timeout: Seconds until every edge must know it.

        Raises:
            StoreError: CloudFront refuses, is not done in time, or somebody else changes the
                distribution again and again.
        """
        deadline = time.monotonic() + timeout
        with self._translated():
            while not self._repoint(folder):
                self._wait(deadline, "another's change of the distribution", timeout)
            while (
                self._client.get_distribution(Id=self._id)["Distribution"]["Status"] != "Deployed"
            ):
                self._wait(deadline, "the change of its origin", timeout)

    def _repoint(self, folder: str) -> bool:
        """Change the origins; return False if somebody else was quicker."""
        seen = self._client.get_distribution_config(Id=self._id)
        config: Any = seen["DistributionConfig"]
        every = config["Origins"]["Items"]
        # A bucket that is not AWS's, or one's web site, is an origin like any other server.
        origins = [one for one in every if "S3OriginConfig" in one] or every
        if len(origins) > 1 and origins is every:
            raise StoreError(
                f"CloudFront distribution {self._id} has several origins, and none in a bucket of "
                "AWS: which of them is the site's nobody can tell",
                hint='Give it one origin, or use switch = "copy".',
            )
        if all(one.get("OriginPath") == folder for one in origins):
            return True
        for one in origins:
            one["OriginPath"] = folder
        try:
            self._client.update_distribution(
                Id=self._id, IfMatch=seen["ETag"], DistributionConfig=config
            )
        except ClientError as error:
            if code_of(error) != _CHANGED:
                raise
            return False
        return True

    def _wait(self, deadline: float, what: str, timeout: float) -> None:
        if time.monotonic() >= deadline:
            raise StoreError(
                f"CloudFront distribution {self._id}: {what} was not done in {timeout:g} s",
                hint="See it in the console; the limit is `timeout` in [environments.*.site].",
            )
        time.sleep(self._pause)

    @cached_property
    def _client(self) -> CloudFrontClient:
        region, profile = self._settings
        session = boto3.Session(profile_name=profile, region_name=region)
        return session.client("cloudfront")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise translate(error, f"CloudFront distribution {self._id}", "") from error
