"""What one release is about: the values that every phase needs and none changes."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from castoff.config.hosts import ResolvedHost
from castoff.config.model import App, Environment
from castoff.releaser.errors import HostTimeout
from castoff.store.backend import Store
from castoff.store.manifest import Manifest

Kind = Literal["release", "rollback", "prepare", "activate"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose hosts and whose history: an app in an environment, with the store that keeps both.

    Attributes:
        who: The person or machine that acts, `user@host`.
        signers: Allowed signers file, one of whom must have signed what is released; None where
            the environment does not ask for that.
        partial: Which of the environment's hosts were chosen, in words; empty for all.
    """

    app: str
    recipe: App
    environment_name: str
    environment: Environment
    hosts: tuple[ResolvedHost, ...]
    store: Store
    url_expires: int
    who: str
    signers: Path | None = None
    partial: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One version on its way to a scope's hosts.

    Attributes:
        release: An identifier of this attempt, which hosts note beside their intent.
        manifest_bytes: The manifest exactly as stored.
        table_z: The file table, gzipped, as stored.
        deadline: By `time.monotonic()`, when the whole release must be over.
    """

    kind: Kind
    scope: Scope
    manifest: Manifest
    manifest_bytes: bytes
    table_z: bytes
    deadline: float
    release: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def app(self) -> str:
        """The app's name."""
        return self.scope.app

    @property
    def version(self) -> str:
        """The version on its way."""
        return self.manifest.version

    @property
    def environment(self) -> Environment:
        """The environment's configuration."""
        return self.scope.environment

    @property
    def environment_name(self) -> str:
        """The environment's name."""
        return self.scope.environment_name

    @property
    def hosts(self) -> tuple[ResolvedHost, ...]:
        """The hosts, in the order of the file."""
        return self.scope.hosts

    def within(self, host: str, limit: float) -> float:
        """Return `limit`, or what is left of the whole release's time if that is less, seconds.

        Raises:
            HostTimeout: Nothing is left.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise HostTimeout(
                host,
                "the release's time is up",
                code="timeout",
                hint=f"Raise [environments.{self.environment_name}.limits] release.",
            )
        return min(limit, left)
