"""Castoff with its store in a bucket, from which hosts fetch by URL."""

from __future__ import annotations

from contextlib import ExitStack
from urllib.parse import urlsplit

from release_work.ground import Ground
from release_work.peers.ours import Castoff
from release_work.repository import Repository
from support import s3
from support.forward import forwarded

_STORE = '[store]\nurl = "s3://{bucket}"\nendpoint_url = "{endpoint}"\n'


class FromBucket(Castoff):
    """Ourselves, from the working tree.

    Args:
        endpoint: Of an S3 server on this machine's loopback.
        version: What is pushed to a bucket of its own.
        stack: Ends when hosts need not reach the server any more.
        of_each_host: As of `Castoff`.
        more: Likewise.
    """

    def __init__(
        self,
        endpoint: str,
        version: str,
        stack: ExitStack,
        *,
        of_each_host: str = "",
        more: str = "",
    ) -> None:
        super().__init__(
            "Castoff, from a bucket",
            of_each_host=of_each_host,
            more=more,
            variables=s3.ENVIRONMENT,
        )
        self._endpoint = endpoint
        self._version = version
        self._stack = stack

    def set_up(self, ground: Ground[Repository]) -> None:
        """Write an environment of castoff.toml, and push to a new bucket."""
        gateway, port = ground.fleet.gateway, urlsplit(self._endpoint).port or 80
        here = self._stack.enter_context(forwarded(gateway, port))
        self._more += _STORE.format(
            bucket=s3.make_bucket(self._endpoint), endpoint=f"http://{gateway}:{here}"
        )
        ground.project.site.variables.update(s3.ENVIRONMENT)
        super().set_up(ground)
        ground.project.castoff("push", self._version)
