"""`castoff history`: every release, rollback and failure of an environment, newest first."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption, JsonOption


def history(
    environment: EnvironmentOption = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, help="How many entries, newest first.")
    ] = 20,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was released, by whom, from which version to which, and how it ended."""
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import seconds
    from castoff.cli.render.tables import print_table
    from castoff.config.select import select_environment
    from castoff.store.history import entries

    project = open_project(config, app)
    name, _ = select_environment(project.loaded.config, environment)
    found = list(entries(project.store(), project.app, name, limit=limit))
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in found])
        return
    if not found:
        typer.echo(f"{project.app} has not been released to {name} yet")
        return
    print_table(
        ("#", "when (UTC)", "what", "from", "to", "outcome", "took", "activation", "who"),
        [
            (
                str(entry.number),
                _time(entry.started),
                entry.kind,
                entry.from_version or "-",
                entry.version,
                entry.outcome,
                seconds(entry.ended - entry.started),
                seconds(entry.activation_seconds),
                entry.who,
            )
            for entry in found
        ],
    )
    for entry in found:
        if entry.detail:
            typer.echo(f"#{entry.number}: {entry.detail.splitlines()[0]}")


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
