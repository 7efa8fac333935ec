"""The store and the names that a list is about, without checking all of castoff.toml for it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from castoff.config.find import find
from castoff.config.outline import read_outline
from castoff.config.select import choose
from castoff.store.backend import Store
from castoff.store.open import open_store


def open_names(config: Path | None, app: str | None) -> tuple[Store, str, Collection[str]]:
    """Return the store, the name of the app, and those of all environments.

    Raises:
        ConfigError: There is no castoff.toml, or it has faults that matter here.
        UsageError: It has no such app, or several and none is named.
    """
    path = config if config is not None else find(Path.cwd())
    outline = read_outline(path)
    if outline is not None:
        name = choose("app", outline.apps, app, outline.default_app)
        store = outline.store
        opened = open_store(
            store.url,
            base=outline.base,
            endpoint_url=store.endpoint_url,
            region=store.region,
            profile=store.profile,
            path_style=store.path_style,
            checksums=store.checksums,
            timeout=store.timeout,
        )
        return opened, name, outline.environments
    # Here, because most of a start's time is that of the models which check the whole file.
    from castoff.cli.project import open_project

    project = open_project(path, app)
    return project.store(), project.app, project.loaded.config.environments
