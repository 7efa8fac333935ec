"""What a host is told of a version: its manifest and its file table, which may be long."""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from castoff.releaser.errors import HostError
from castoff.releaser.job import Job
from castoff.releaser.replies import HostState
from castoff.releaser.session import encode
from castoff.releaser.sources import TableSources
from castoff.store import artifacts
from castoff.store.errors import CastoffError
from castoff.store.table_delta import table_delta

T = TypeVar("T")

# Bytes of a table, gzipped, for which no other connection is worth its while.
_SHORT = 48 * 1024
# Bytes of a table whose rows are compared: in memory each takes six times as much.
_MOST_COMPARED = 64 * 1024 * 1024
# Bytes of a packed difference: a host has several copies of a request in memory, not of a table.
_MOST_TOLD = 3 * 1024 * 1024


class Documents:
    """A job's documents, in the shortest form for each host; any number of threads may ask.

    A host that has a release is told how the table differs from that one's: for a change of a few
    files this is a hundredth of the table. What the host makes of it must have the digest that the
    manifest names, whatever its record of the other table holds.

    Attributes:
        table: Where the whole table is to be had.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self.table = TableSources(job)
        self._deltas: dict[str, str | None] = {}
        self._lock = threading.Lock()

    def begin(self, base: str | None) -> None:
        """Begin to make the difference from a release that hosts probably have.

        While they are connected to there is time for it, which they would have to wait for later.

        Args:
            base: The release; None if there is none.
        """
        if base is not None:
            threading.Thread(target=self._try, args=(base,), daemon=True).start()

    def _try(self, base: str) -> None:
        # Whoever needs the difference meets what is wrong with it again, and tells it.
        with suppress(Exception):
            self._delta(base)

    def tell(
        self,
        state: HostState,
        ask: Callable[[dict[str, Any]], T],
        sources: Callable[[], list[dict[str, Any]]] | None = None,
    ) -> T:
        """Ask a host something that needs the documents; return its answer.

        Args:
            state: What lies on the host.
            ask: Asks, with these parameters of the request.
            sources: Returns where the host may take the whole table from, if it needs it and it
                is long; None where it can but be told.

        Raises:
            HostError: As `ask` does, but for a difference that does not fit what the host has: it
                is then told all.
        """
        manifest = {"manifest": self._job.manifest_bytes.decode()}
        base = self._base(state)
        delta = None if base is None else self._delta(base)
        if delta is not None:
            try:
                return ask({**manifest, "table_base": base, "table_delta": delta})
            except HostError as error:
                if error.code != "delta":
                    raise
        table = self._job.manifest.table
        if sources is None or table.size < _SHORT:
            return ask({**manifest, "table_z": encode(self._job.table_z)})
        where = {"size": table.size, "sha256": table.sha256, "sources": sources()}
        return ask({**manifest, "table": where})

    def _base(self, state: HostState) -> str | None:
        """Return the release on a host whose table is probably the most like this one."""
        if self._job.version in state.releases:
            return self._job.version
        if state.current in state.releases:
            return state.current
        return state.releases[-1] if state.releases else None

    def _delta(self, base: str) -> str | None:
        with self._lock:
            if base not in self._deltas:
                self._deltas[base] = self._made(base)
            return self._deltas[base]

    def _made(self, base: str) -> str | None:
        job = self._job
        new = gzip.decompress(job.table_z)
        old = new
        if base != job.version:
            try:
                manifest = job.scope.manifest(base)
                old, _ = artifacts.fetch_table_document(job.scope.store, manifest)
            except CastoffError:
                # Gone from the store, or never in this one: the whole table will do.
                return None
            if max(len(old), len(new)) > _MOST_COMPARED:
                return None
        delta = json.dumps(table_delta(old, new), separators=(",", ":"), ensure_ascii=False)
        packed = zlib.compress(delta.encode(), 9)
        return encode(packed) if len(packed) < min(len(job.table_z), _MOST_TOLD) else None
