"""`castoff status`: what every host serves, and whether that is what it should serve."""

from __future__ import annotations

from dataclasses import asdict

import typer

from castoff.cli.options import (
    AppOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    JsonOption,
    OnlyOption,
)
from castoff.store.errors import ExitCode


def status(
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each host serves; the exit code says whether all agree with the record."""
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.status import look

    found = look(chosen_scope(config, app, environment, only, without, writes=False))
    if as_json:
        print_json({**asdict(found), "agrees": found.agrees})
    else:
        live = found.current or "nothing yet"
        back = f", rollback goes to {found.previous}" if found.previous else ""
        typer.echo(f"{found.app} in {found.environment}: {live}{back}")
        if found.frozen:
            typer.echo(f"frozen {found.frozen}")
        if found.unfinished:
            typer.echo(f"not finished: {found.unfinished} (castoff resume, or castoff abort)")
        print_table(
            ("host", "roles", "serves", "processes run", "good", "releases", "free", ""),
            [
                (
                    host.name,
                    " ".join(host.roles),
                    host.current or "-",
                    ", ".join(f"{v} ({n})" for v, n in host.processes.items()) or "-",
                    host.good or "-",
                    str(len(host.releases)),
                    size(host.free_bytes),
                    host.trouble or ("" if host.current == found.current else "DIFFERS"),
                )
                for host in found.hosts
            ],
        )
    if not found.agrees:
        raise typer.Exit(ExitCode.DISAGREE)
