"""From the words of a command to what the library wants: app, store, environment, hosts."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from castoff.cli.recipe import own_key
from castoff.config.find import find
from castoff.config.load import Loaded, load
from castoff.config.model import App
from castoff.config.own_user import user_name
from castoff.config.select import select_app
from castoff.releaser.ci_job import job_page
from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.open import open_store

if TYPE_CHECKING:
    from castoff.store.public.place import Place


@dataclass(frozen=True, slots=True)
class Project:
    """The configuration that a command works under, and the app that it means."""

    loaded: Loaded
    app: str
    recipe: App

    @property
    def artifacts(self) -> Path:
        """The folder that builds write to and pushes read from."""
        return self.loaded.base / "artifacts"

    @property
    def signers(self) -> Path:
        """The allowed signers file; it may not be there."""
        return self.loaded.base / self.loaded.config.signing.signers

    @property
    def signing_key(self) -> Path | None:
        """The key that builds are signed with, or None if they are not.

        Raises:
            ConfigError: Its path starts with the home folder of a user who does not exist.
        """
        return own_key(self.loaded.config.signing, self.loaded.base)

    def store(self) -> Store:
        """Open the configured store; nothing is sent to it yet."""
        settings = self.loaded.config.store
        return open_store(
            settings.url,
            base=self.loaded.base,
            endpoint_url=settings.endpoint_url,
            region=settings.region,
            profile=settings.profile,
            path_style=settings.path_style,
            checksums=settings.checksums,
            timeout=settings.timeout,
        )

    def place(self) -> Place | None:
        """Open the place of the app's public files, or return None where it has no CDN."""
        cdn = self.recipe.cdn
        if cdn is None:
            return None
        from castoff.store.public.open import open_place

        shared = self.loaded.config.store
        settings = shared if cdn.store is None else cdn
        return open_place(
            cdn.store or f"{shared.url.rstrip('/')}/{keys.public_files(self.app).rstrip('/')}",
            base=self.loaded.base,
            endpoint_url=settings.endpoint_url,
            region=settings.region,
            profile=settings.profile,
            path_style=settings.path_style,
            checksums=settings.checksums,
        )


def load_config(config: Path | None) -> Loaded:
    """Read castoff.toml: the file named, or the nearest.

    Raises:
        ConfigError: There is none, or it has faults; all are listed.
    """
    return load(config if config is not None else find(Path.cwd()))


def open_project(config: Path | None, app: str | None) -> Project:
    """Read castoff.toml and choose the app.

    Raises:
        ConfigError: There is no castoff.toml, or it has faults; all are listed.
        UsageError: It has no such app, or several and none is named.
    """
    loaded = load_config(config)
    name, recipe = select_app(loaded.config, app)
    return Project(loaded, name, recipe)


def who() -> str:
    """Return who acts, for locks and history: `user@host`."""
    return f"{user_name()}@{socket.gethostname()}"


def job_url() -> str:
    """Return the page of the CI job that acts; empty where a person does."""
    return job_page(os.environ)
