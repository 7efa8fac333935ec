"""`castoff lock` and `castoff unlock`: nobody releases until further notice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption

if TYPE_CHECKING:
    from castoff.store.backend import Store


def lock(
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why, for whoever meets it.")],
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Freeze an environment: whoever wants to release is told who froze it, since when and why."""
    from castoff.cli.project import who
    from castoff.store import freeze

    store, name, chosen = _target(config, app, environment)
    freeze.put(store, name, chosen, owner=who(), reason=reason, frozen=True)
    typer.echo(f"{chosen} of {name} is frozen: {reason}")


def unlock(
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Set a frozen environment free."""
    from castoff.cli.project import who
    from castoff.store import freeze

    store, name, chosen = _target(config, app, environment)
    freeze.put(store, name, chosen, owner=who(), reason="", frozen=False)
    typer.echo(f"{chosen} of {name} is free again")


def _target(
    config: ConfigOption, app: AppOption, environment: EnvironmentOption
) -> tuple[Store, str, str]:
    from castoff.cli.project import cache_folder, open_project
    from castoff.config.select import select_environment
    from castoff.store.probe import probe

    project = open_project(config, app)
    name, _ = select_environment(project.loaded.config, environment)
    store = project.store()
    probe(store, cache=cache_folder())
    return store, project.app, name
