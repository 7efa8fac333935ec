"""`castoff lock`: the lock of dependencies, or the freeze of an environment; `castoff unlock`."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption, as_text
from castoff.store.errors import UsageError


def lock(
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            "-m",
            callback=as_text,
            help="Freeze an environment: why, for whoever meets the freeze.",
        ),
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Dependencies: take newer versions where allowed.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Dependencies: write nothing; exit code 21 if out of date."),
    ] = False,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Lock the app's dependencies; or, with --reason, freeze an environment.

    Without --reason: write uv.lock for a project with a pyproject.toml, or requirements.txt with
    hashes from requirements.in. Commit the result; builds install exactly what it names.

    With --reason: whoever wants to release to the environment is told who froze it, since when and
    why, until `castoff unlock`.
    """
    if reason is None:
        if environment is not None:
            raise UsageError(
                "castoff lock: --env belongs to a freeze, which needs a --reason",
                hint='castoff lock --env NAME --reason "…"; without both, dependencies are locked.',
            )
        if upgrade and check:
            raise UsageError("castoff lock: --upgrade writes, and --check writes nothing")
        _lock_dependencies(config, app, upgrade=upgrade, check=check)
        return
    if upgrade or check:
        given = "--upgrade" if upgrade else "--check"
        raise UsageError(
            f"castoff lock: {given} belongs to the lock of dependencies, --reason to a freeze",
            hint="Leave out one of the two.",
        )
    _freeze(reason, config, app, environment)


def unlock(
    above: Annotated[
        int | None,
        typer.Option(
            "--above",
            metavar="N",
            min=1,
            help="After the store was lost or moved: count leases on from N, which hosts tell.",
        ),
    ] = None,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Set a frozen environment free, or one whose hosts refuse a store that was made anew."""
    from castoff.cli.decision import open_decision
    from castoff.store import freeze, lease

    made = open_decision(config, app, environment)
    if above is not None:
        lease.count_on_from(*made.where, above, owner=made.who)
        typer.echo(f"leases of {made.environment} of {made.app} count on from {above}")
        return
    freeze.put(*made.where, owner=made.who, reason="", frozen=False, job_url=made.job_url)
    typer.echo(f"{made.environment} of {made.app} is free again")


def _freeze(
    reason: str, config: ConfigOption, app: AppOption, environment: EnvironmentOption
) -> None:
    from castoff.cli.decision import open_decision
    from castoff.store import freeze

    made = open_decision(config, app, environment)
    freeze.put(*made.where, owner=made.who, reason=reason, frozen=True, job_url=made.job_url)
    typer.echo(f"{made.environment} of {made.app} is frozen: {reason}")


def _lock_dependencies(config: ConfigOption, app: AppOption, *, upgrade: bool, check: bool) -> None:
    import os

    from castoff.builder.make_lock import make_lock
    from castoff.cli.cache_place import cache_bound, cache_folder
    from castoff.cli.project import open_project

    project = open_project(config, app)
    folder = project.loaded.base / project.recipe.path
    made = make_lock(
        folder,
        project.recipe.build,
        environment=dict(os.environ),
        cache=cache_folder() if cache_bound() else None,
        upgrade=upgrade,
        check=check,
    )
    name = os.path.relpath(made.path, project.loaded.base)
    typer.echo(f"wrote {name}: commit it" if made.changed else f"{name} is up to date")
