"""From where a host may take the archive, in the order in which it should try."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.releaser.job import Job
from castoff.store import keys

_BLOCK = 256 * 1024


class ArchiveSources(AbstractContextManager["ArchiveSources"]):
    """The archive of one job: by path, by URL, or through the controller.

    The controller's own copy is fetched from the store only when the first host asks for it,
    once for all hosts, into a temporary folder that goes when the release is over.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._key = keys.blob(job.app, job.version, job.manifest.archive.name)
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copy: Path | None = job.scope.store.local_path(self._key)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def of(self, host: ResolvedHost) -> list[dict[str, Any]]:
        """Return the `sources` of a prepare request for this host."""
        sources: list[dict[str, Any]] = []
        store = self._job.scope.store
        path = store.local_path(self._key)
        if host.transport == "local" and path is not None:
            sources.append({"kind": "file", "path": str(path)})
        url = self.url()
        if url is not None:
            sources.append({"kind": "url", "url": url})
        sources.append({"kind": "controller"})
        return sources

    def url(self) -> str | None:
        """Return a URL that is good from now on, or None if the store has none."""
        return self._job.scope.store.fetch_url(self._key, expires=self._job.scope.url_expires)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield a part of the archive, for a host that cannot reach the store."""
        with self.local_copy().open("rb") as file:
            file.seek(offset)
            while length and (block := file.read(min(_BLOCK, length))):
                yield block
                length -= len(block)

    def local_copy(self) -> Path:
        """Return where the archive lies on this machine, fetched if need be."""
        with self._lock:
            if self._copy is None:
                self._folder = tempfile.TemporaryDirectory(prefix="castoff-")
                path = Path(self._folder.name) / "archive"
                self._job.scope.store.download(
                    self._key, path, sha256=self._job.manifest.archive.sha256
                )
                self._copy = path
            return self._copy
