"""`castoff plan`: what a release would do, host by host, and nothing done."""

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
    VersionArgument,
)
from castoff.store.version import check_version


def plan(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what `release` would do on each host; nothing is changed, locked or fetched."""
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.partial import homeless_steps
    from castoff.releaser.release import look_ahead, resolve

    check_version(version)
    scope = chosen_scope(config, app, environment, only, without, writes=False)
    made = look_ahead(resolve(scope, "release", version))
    if as_json:
        print_json({**asdict(made), "partial": scope.partial})
        return
    if scope.partial:
        typer.echo(f"PARTIAL: {scope.partial}; the other hosts stay as they are")
    typer.echo(
        f"release {made.app} {made.version} (commit {made.commit[:10]}) to {made.environment}, "
        f"which has {made.live or 'nothing yet'}"
    )
    print_table(
        ("host", "roles", "serves", "would fetch", "free", "would run"),
        [
            (
                host.name,
                " ".join(host.roles),
                host.current or "-",
                size(host.fetch),
                size(host.free_bytes),
                ", ".join(name for _, name in host.steps) or "-",
            )
            for host in made.hosts
        ],
    )
    for _, step, leader in made.once:
        typer.echo(f"once, before any host flips: {step} on {leader}")
    for name in homeless_steps(scope):
        typer.echo(f"{name} does not run: none of these hosts can lead it")
