"""From where a host may take a blob of the store, in the order in which it should try."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from typing_extensions import Self

from castoff.config.hosts import ResolvedHost
from castoff.releaser.job import Job, Scope
from castoff.store import keys

S = TypeVar("S", bound="BlobSources")

_BLOCK = 256 * 1024


class BlobSources:
    """A blob of the store: by path, by URL, or through the controller.

    The controller's own copy is fetched from the store only when the first host asks for it,
    once for all hosts, into a temporary folder that goes when the release is over.
    """

    def __init__(self, scope: Scope, key: str, sha256: str) -> None:
        self._scope = scope
        self._key = key
        self._sha256 = sha256
        self._lock = threading.Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._copy: Path | None = scope.store.local_path(key)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the controller's own copy, if there is one."""
        if self._folder is not None:
            self._folder.cleanup()

    def of(self, host: ResolvedHost) -> list[dict[str, Any]]:
        """Return the `sources` of a prepare request for this host."""
        sources: list[dict[str, Any]] = []
        path = self._scope.store.local_path(self._key)
        if host.transport == "local" and path is not None:
            sources.append({"kind": "file", "path": str(path)})
        url = self.url()
        if url is not None:
            sources.append({"kind": "url", "url": url})
        sources.append({"kind": "controller"})
        return sources

    def url(self) -> str | None:
        """Return a URL that is good from now on, or None if the store has none."""
        return self._scope.store.fetch_url(self._key, expires=self._scope.url_expires)

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield a part of it, for a host that cannot reach the store."""
        with self.local_copy().open("rb") as file:
            file.seek(offset)
            while length and (block := file.read(min(_BLOCK, length))):
                yield block
                length -= len(block)

    def local_copy(self) -> Path:
        """Return where it lies on this machine, fetched if need be."""
        with self._lock:
            if self._copy is None:
                self._folder = tempfile.TemporaryDirectory(prefix="castoff-")
                path = Path(self._folder.name) / "blob"
                self._scope.store.download(self._key, path, sha256=self._sha256)
                self._copy = path
            return self._copy


class TableSources(BlobSources):
    """The file table of one job, which the controller has in memory."""

    def __init__(self, job: Job) -> None:
        table = job.manifest.table
        super().__init__(job.scope, keys.blob(job.app, job.version, table.name), table.sha256)
        self._data = job.table_z

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        """Yield a part of it, for a host that has no other way to it."""
        yield self._data[offset : offset + length]


class ArchiveSources(BlobSources):
    """The archive of one job."""

    def __init__(self, job: Job) -> None:
        archive = job.manifest.archive
        super().__init__(job.scope, keys.blob(job.app, job.version, archive.name), archive.sha256)
