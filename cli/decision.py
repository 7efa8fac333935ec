"""Where a word of somebody's about an environment goes, for commands that reach no host."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption
from castoff.store.backend import Store


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose environment it is about, and who speaks from where."""

    store: Store
    app: str
    environment: str
    who: str
    job_url: str

    @property
    def where(self) -> tuple[Store, str, str]:
        """What functions of the store take first."""
        return self.store, self.app, self.environment


def open_decision(config: ConfigOption, app: AppOption, environment: EnvironmentOption) -> Decision:
    """Return what a command's usual options mean together; the store will be written.

    Raises:
        ConfigError, UsageError: As `open_project` and `select_environment`.
        StoreError: The store does not keep the promises that locks need.
    """
    from castoff.cli.cache_place import cache_folder
    from castoff.cli.project import job_url, open_project, who
    from castoff.config.select import select_environment
    from castoff.store.probe import probe

    project = open_project(config, app)
    name, _ = select_environment(project.loaded.config, environment)
    store = project.store()
    probe(store, cache=cache_folder())
    return Decision(store, project.app, name, who(), job_url())
