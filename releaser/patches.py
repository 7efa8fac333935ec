"""Patches to a job's version, as hosts are told of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.releaser.job import Job
from castoff.releaser.replies import HostState
from castoff.releaser.sources import BlobSources
from castoff.store import keys, patch
from castoff.store.errors import CastoffError
from castoff.store.patch import Patch

# Rows about a patch, each of which takes a host some 150 bytes of memory; of more the parts of the
# archive are fetched.
_MOST_SAID = 50_000


class Offer:
    """The patch that suits a host.

    Attributes:
        size: Bytes.
        sha256: Their digest.
        sources: Where it is to be had.
    """

    def __init__(self, said: Patch, sources: BlobSources) -> None:
        self._said = said
        self.size = said.size
        self.sha256 = said.sha256
        self.sources = sources

    def told(
        self, host: ResolvedHost | None, near: Sequence[dict[str, Any]] = ()
    ) -> dict[str, Any]:
        """Return the `patch` of a request; without sources where no host is named.

        Args:
            host: The host.
            near: Sources that it asks first.
        """
        said = self._said.model_dump(mode="json", exclude={"schema_"})
        return {**said, "sources": [] if host is None else [*near, *self.sources.of(host)]}


class Patches(AbstractContextManager["Patches"]):
    """What patches there are; any number of threads may ask.

    Nothing depends on a patch: what the store does not give, or what does not fit, is as if there
    were none.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._lock = threading.Lock()
        self._bases: frozenset[str] | None = None
        self._offers: dict[str, Offer | None] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for offer in self._offers.values():
            if offer is not None:
                offer.sources.close()

    def offer(self, state: HostState) -> Offer | None:
        """Return the smallest patch from a release that lies on a host, or None."""
        with self._lock:
            if self._bases is None:
                self._bases = self._listed()
            here = [base for base in state.releases if base in self._bases]
            offers = [offer for base in here if (offer := self._of(base)) is not None]
        return min(offers, key=lambda offer: offer.size, default=None)

    def _listed(self) -> frozenset[str]:
        job = self._job
        try:
            return frozenset(patch.bases(job.scope.store, job.app, job.version))
        except CastoffError:
            return frozenset()

    def _of(self, base: str) -> Offer | None:
        if base not in self._offers:
            self._offers[base] = self._read(base)
        return self._offers[base]

    def _read(self, base: str) -> Offer | None:
        job = self._job
        try:
            said = patch.read(job.scope.store, job.app, job.version, base)
        except CastoffError:
            return None
        if said.base != base or len(said.old) + len(said.new) + len(said.frames) > _MOST_SAID:
            return None
        key = keys.patch_blob(job.app, job.version, base, said.sha256)
        return Offer(said, BlobSources(job.scope, key, said.sha256))
