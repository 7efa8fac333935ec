"""The store and the names that a list is about, without checking all of castoff.toml for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from castoff.config.find import find
from castoff.config.outline import read_outline
from castoff.config.select import choose
from castoff.store.backend import Store
from castoff.store.open import open_store


@dataclass(frozen=True, slots=True)
class Names:
    """What a list is about.

    Attributes:
        store: The store; nothing is sent to it yet.
        app: The name of the app.
        environments: Those of all environments.
        default_environment: What castoff.toml says where a command names none.
    """

    store: Store
    app: str
    environments: Collection[str]
    default_environment: str | None

    def environment(self, name: str | None) -> str:
        """Return the environment of that name; without one, the default or the only one.

        Raises:
            UsageError: There is no such environment, none at all, or several and no default.
        """
        return choose("environment", self.environments, name, self.default_environment)


def open_names(config: Path | None, app: str | None) -> Names:
    """Open the store, and return what castoff.toml names.

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
        return Names(opened, name, outline.environments, outline.default_environment)
    # Here, because most of a start's time is that of the models which check the whole file.
    from castoff.cli.project import open_project

    project = open_project(path, app)
    whole = project.loaded.config
    return Names(project.store(), project.app, whole.environments, whole.default_environment)
