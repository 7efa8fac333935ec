"""The environment's quarantine in the store, as this controller last read or wrote it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from castoff.releaser.job import Scope
from castoff.store import quarantine
from castoff.store.quarantine import Quarantined


@dataclass(slots=True)
class QuarantineLog:
    """Who is in quarantine; written under the environment's lease alone.

    Attributes:
        hosts: The hosts in quarantine, by name. Those that castoff.toml does not have any more
            are not among them, and leave the store with the next change.
    """

    hosts: dict[str, Quarantined]
    _scope: Scope
    _etag: str | None

    @classmethod
    def open(cls, scope: Scope) -> QuarantineLog:
        """Read it.

        Raises:
            StoreError: The store cannot be read.
            CorruptArtifact: The document does not fit its schema.
        """
        seen = quarantine.read(scope.store, scope.app, scope.environment_name)
        known = {host.name for host in scope.environment.hosts}
        hosts = () if seen is None else seen[0].hosts
        return cls(
            {one.host: one for one in hosts if one.host in known},
            scope,
            None if seen is None else seen[1],
        )

    def put(self, entries: Iterable[Quarantined]) -> None:
        """Write entries over those of the same hosts; nothing is written if there are none.

        Raises:
            Conflict: Another controller has taken over.
            StoreError: The store cannot be written.
        """
        self._write({**self.hosts, **{one.host: one for one in entries}})

    def lift(self, names: Collection[str]) -> None:
        """Let hosts leave; raises as `put`."""
        self._write({name: one for name, one in self.hosts.items() if name not in names})

    def number(self, release: str, number: int) -> None:
        """Note in which entry of the history a run's doings stand; raises as `put`."""
        self.put(
            one.model_copy(update={"number": number})
            for one in self.hosts.values()
            if one.release == release and one.number is None
        )

    def _write(self, hosts: dict[str, Quarantined]) -> None:
        if hosts == self.hosts:
            return
        scope = self._scope
        self._etag = quarantine.write(
            scope.store, scope.app, scope.environment_name, hosts.values(), etag=self._etag
        )
        self.hosts = hosts
