"""A back-up that was found, and one that is on its way back."""

from __future__ import annotations

from dataclasses import dataclass, field

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.store.backups import Backup


@dataclass(frozen=True, slots=True)
class Known:
    """A back-up, and where it is.

    Attributes:
        place: `store`, or the name of the host that has it.
    """

    backup: Backup
    place: str


@dataclass(frozen=True, slots=True)
class Restoring:
    """A back-up on its way back.

    Attributes:
        known: Which, and where it is.
        step: The step that made it, which says where it belongs.
        host: The host that does it.
        identity: What decrypts it; None if it is not encrypted.
    """

    known: Known
    step: Step
    host: ResolvedHost
    identity: str | None = field(default=None, repr=False)

    @property
    def identifier(self) -> str:
        """What it is called."""
        return self.known.backup.id

    @property
    def holds_a_database(self) -> bool:
        """Whether it brings a schema back with it."""
        return self.step.backup is not None and self.step.backup.kind != "files"

    @property
    def mark(self) -> str:
        """What a run's document calls it once it is restored; no step can be called so."""
        return f"restore {self.identifier}"
