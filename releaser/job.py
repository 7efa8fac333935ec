"""What one release is about: the values that every phase needs and none changes."""

from __future__ import annotations

import math
import time
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from castoff.config.hosts import ResolvedHost
from castoff.config.model import App, Environment
from castoff.releaser.backups.restoring import Restoring
from castoff.releaser.errors import HostTimeout
from castoff.releaser.repository import NoRepository, Repository
from castoff.releaser.secrets.secrets import NONE, Secrets
from castoff.store import artifacts
from castoff.store.backend import Store
from castoff.store.manifest import Manifest

if TYPE_CHECKING:
    from castoff.releaser.migrations.down import Down

Kind = Literal["release", "rollback", "prepare", "activate", "converge"]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose hosts and whose history: an app in an environment, with the store that keeps both.

    Attributes:
        who: The person or machine that acts, `user@host`.
        signers: Allowed signers file, one of whom must have signed what is released; None where
            the environment does not ask for that.
        partial: Which of the environment's hosts were chosen, in words; empty for all.
        base: Folder of castoff.toml, where commands run that are not for a host; None for the
            current directory.
        job_url: The page of the CI job that acts; empty where a person does.
        repository: The one beside castoff.toml.
        manifests: Those that were read already, by their versions.
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
    base: Path | None = None
    job_url: str = ""
    repository: Repository = field(default_factory=NoRepository)
    manifests: dict[str, Manifest] = field(default_factory=dict, repr=False, compare=False)

    def manifest(self, version: str) -> Manifest:
        """Return the manifest of a version in the store, read once: it cannot change.

        Nobody has checked its signature.

        Raises:
            UnknownVersion, CorruptArtifact, StoreError: As `artifacts.fetch_manifest`.
        """
        if version not in self.manifests:
            self.manifests[version], _ = artifacts.fetch_manifest(self.store, self.app, version)
        return self.manifests[version]


@dataclass(frozen=True, slots=True)
class Job:
    """One version on its way to a scope's hosts.

    Attributes:
        release: An identifier of this attempt, which hosts note beside their intent.
        manifest_bytes: The manifest exactly as stored.
        table_z: The file table, gzipped, as stored.
        maintenance: `on` if the maintenance page is on from the once-only steps until all hosts
            are healthy, or back; `stay` if it is left on where that comes to nothing.
        deadline: By `time.monotonic()`, when the whole release must be over.
        host_deadline: In the same way, when each host must be at the barrier; infinite after it.
        secrets: Those that the run may come to need; none before it has begun.
        restores: Back-ups that a rollback restores before hosts flip.
        migrate_down: Whether a rollback takes back migrations that its version does not know.
        allow_incompatible: Whether it goes on although the version may not live with the database.
        down: What a rollback takes back; None before it has begun, and where that is nothing.
    """

    kind: Kind
    scope: Scope
    manifest: Manifest
    manifest_bytes: bytes
    table_z: bytes
    deadline: float
    host_deadline: float = math.inf
    maintenance: Literal["", "on", "stay"] = ""
    release: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    secrets: Secrets = NONE
    restores: tuple[Restoring, ...] = ()
    migrate_down: bool = False
    allow_incompatible: bool = False
    down: Down | None = None

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

    def with_time(self, seconds: float) -> Job:
        """Return the same job with so many seconds from now, for what follows a failure."""
        return replace(self, deadline=time.monotonic() + seconds, host_deadline=math.inf)

    @property
    def left(self) -> float:
        """What is left of the release's time, or before the barrier of each host's; seconds."""
        return min(self.deadline, self.host_deadline) - time.monotonic()

    def within(self, host: str, limit: float) -> float:
        """Return `limit`, or what is left of the time if that is less, seconds.

        Raises:
            HostTimeout: Nothing is left.
        """
        left = self.left
        if left <= 0:
            first = self.deadline <= self.host_deadline
            whose, key = ("the release's", "release") if first else ("the host's", "host")
            raise HostTimeout(
                host,
                f"{whose} time is up",
                code="timeout",
                hint=f"Raise [environments.{self.environment_name}.limits] {key}.",
            )
        return min(limit, left)
