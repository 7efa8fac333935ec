"""`castoff lock` and `castoff unlock`: nobody releases until further notice."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption


def lock(
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why, for whoever meets it.")],
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Freeze an environment: whoever wants to release is told who froze it, since when and why."""
    from castoff.cli.decision import open_decision
    from castoff.store import freeze

    made = open_decision(config, app, environment)
    freeze.put(*made.where, owner=made.who, reason=reason, frozen=True, job_url=made.job_url)
    typer.echo(f"{made.environment} of {made.app} is frozen: {reason}")


def unlock(
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Set a frozen environment free."""
    from castoff.cli.decision import open_decision
    from castoff.store import freeze

    made = open_decision(config, app, environment)
    freeze.put(*made.where, owner=made.who, reason="", frozen=False, job_url=made.job_url)
    typer.echo(f"{made.environment} of {made.app} is free again")
