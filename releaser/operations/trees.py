"""Which tree each version should be, by the store's manifests."""

from __future__ import annotations

import threading

from castoff.releaser.job import Scope
from castoff.store import artifacts
from castoff.store.errors import CorruptArtifact, UnknownVersion


class Trees:
    """Reads each version's manifest once; may be asked by many threads."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._known: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def expected(self, version: str) -> str | None:
        """Return the digest of a version's tree, or None if the store does not have it.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._lock:
            if version not in self._known:
                self._known[version] = self._read(version)
            return self._known[version]

    def _read(self, version: str) -> str | None:
        try:
            manifest, _ = artifacts.fetch_manifest(self._scope.store, self._scope.app, version)
        except (UnknownVersion, CorruptArtifact):
            return None
        return manifest.tree_sha256
