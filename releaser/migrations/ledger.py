"""The environment's log of migrations, as one run reads and writes it."""

from __future__ import annotations

import time
import uuid

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.job import Job, Scope
from castoff.store import migration_log
from castoff.store.migration_log import MigrationEntry, State


class Ledger:
    """The log as this controller last saw it; written only over just that."""

    def __init__(self, scope: Scope) -> None:
        """Read it.

        Raises:
            StoreError: The store cannot be read.
        """
        self._scope = scope
        self._log, self._etag = migration_log.read(scope.store, scope.app, scope.environment_name)

    @property
    def entries(self) -> tuple[MigrationEntry, ...]:
        """All entries, the latest last."""
        return self._log.entries

    @property
    def applied(self) -> tuple[str, ...]:
        """The versions whose migrations may be in the database, the latest first."""
        there = (e.version for e in reversed(self._log.entries) if e.state != "reversed")
        return tuple(dict.fromkeys(there))

    def of(self, version: str, step: str) -> MigrationEntry | None:
        """Return what is known of a version's step, or None."""
        return self._log.of(version, step)

    def elsewhere(self, host: ResolvedHost) -> MigrationEntry | None:
        """Return a migration that may still be running on another host than this, or None."""
        now = time.time()
        return next(
            (
                entry
                for entry in self._log.entries
                if entry.state == "begun" and entry.leader != host.name and entry.until > now
            ),
            None,
        )

    def begin(
        self, job: Job, step: Step, host: ResolvedHost, version: str, *, token: int
    ) -> MigrationEntry:
        """Note that a step is about to run; it must not begin unless this returns.

        Raises:
            Conflict: Another controller has taken over.
            StoreError: The store cannot be written.
        """
        now = time.time()
        # All tries of the step, with what the agent takes to end one.
        longest = (step.timeout + job.environment.limits.answer) * (step.retries + 1)
        entry = MigrationEntry(
            version=version,
            step=step.name,
            state="begun",
            leader=host.name,
            attempt=uuid.uuid4().hex[:12],
            release=job.release,
            token=token,
            began=now,
            until=now + min(longest, max(job.left, 0) + job.environment.limits.answer),
        )
        self._write(self._log.having(entry))
        return entry

    def end(self, entry: MigrationEntry, state: State) -> None:
        """Note how it has ended; raises as `begin`."""
        self._write(self._log.having(entry.model_copy(update={"state": state})))

    def reverse_all_but(self, version: str) -> None:
        """Note that only one version's migrations are left; raises as `begin`."""
        if any(e.version != version and e.state != "reversed" for e in self._log.entries):
            self._write(self._log.without_what_follows(version))

    def _write(self, log: migration_log.MigrationLog) -> None:
        scope = self._scope
        self._etag = migration_log.write(
            scope.store, scope.app, scope.environment_name, log, etag=self._etag
        )
        self._log = log


def was_reversed(scope: Scope, version: str, step: Step) -> bool:
    """Whether a version's migrations were run once and have been taken back since.

    Raises:
        StoreError: The store cannot be read.
    """
    entry = Ledger(scope).of(version, step.name)
    return entry is not None and entry.state == "reversed"
