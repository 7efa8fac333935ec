"""What was migrated in an environment: an entry for each version and step, and how it ended.

One document an environment, replaced by compare-and-swap alone. It is written before a migration
begins and after it has ended, so that whoever comes after a controller that died knows that one
may be half done, where, and until when it may still be running.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys, swapped
from castoff.store.backend import Store
from castoff.store.document import StoredDocument
from castoff.store.swapped import SwappedDocument

# More than hosts keep releases for long; older entries tell nothing that newer ones do not.
_MOST = 50
State = Literal["begun", "failed", "ended", "reversed"]


class MigrationEntry(StoredDocument):
    """One version's run of one step; the last attempt at it.

    Attributes:
        version: The version whose migrations were run.
        step: The step's name.
        state: `begun`, and nobody has said how it ended; `failed`, and nothing of it runs any
            more; `ended` well; `reversed`: taken back, or the data restored from before it.
        leader: The host that it runs on.
        attempt: Names the attempt; the host notes it once that has ended well.
        release: Identifier of the run that it belongs to.
        token: Fencing token of that run's lease.
        began: Seconds since the epoch.
        until: When the host ends it at the latest, seconds since the epoch.
    """

    version: str
    step: str
    state: State
    leader: str
    attempt: str
    release: str
    token: Annotated[int, Field(ge=1)]
    began: float
    until: float


class MigrationLog(SwappedDocument):
    """All entries, the latest last."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    entries: tuple[MigrationEntry, ...] = ()

    def of(self, version: str, step: str) -> MigrationEntry | None:
        """Return the entry of a version and step, or None."""
        return next((e for e in self.entries if (e.version, e.step) == (version, step)), None)

    def having(self, entry: MigrationEntry) -> MigrationLog:
        """Return the log with an entry as its last, in the place of the one of its version."""
        others = (e for e in self.entries if (e.version, e.step) != (entry.version, entry.step))
        return self.model_copy(update={"entries": (*others, entry)[-_MOST:]})

    def without_what_follows(self, version: str) -> MigrationLog:
        """Return the log with all other versions' entries reversed."""
        entries = tuple(
            e if e.version == version else e.model_copy(update={"state": "reversed"})
            for e in self.entries
        )
        return self.model_copy(update={"entries": entries})


def read(store: Store, app: str, environment: str) -> tuple[MigrationLog, str | None]:
    """Return the log and its entity tag; an empty one and None before the first migration.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    seen = swapped.read(store, keys.migrations(app, environment), MigrationLog)
    return (MigrationLog(), None) if seen is None else seen


def write(store: Store, app: str, environment: str, log: MigrationLog, *, etag: str | None) -> str:
    """Write the log over the one that was read with `etag` (None: there was none).

    Returns:
        The new entity tag.

    Raises:
        Conflict: Another has written since: the lease is not ours any more.
        StoreError: The store cannot be written.
    """
    _, tag = swapped.write(
        store,
        keys.migrations(app, environment),
        log,
        etag=etag,
        lost=f"{store.url}: another controller has migrated {environment} of {app} meanwhile",
        hint="This run has stopped. See `castoff status` and `castoff history`.",
    )
    return tag
