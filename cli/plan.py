"""`castoff plan`: what a release would do, host by host, and nothing done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from castoff.cli.options import (
    AppOption,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    JsonOption,
    OnlyOption,
    VersionArgument,
)
from castoff.cli.render.few import few
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.releaser.configuration.changes import FileChange
    from castoff.releaser.job import Scope
    from castoff.releaser.plan import HostPlan, Plan

_BEFORE_THE_FLIP = ("before_prepare", "prepare", "start_idle", "check_idle", "before_activate")


def plan(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what `release` would do on each host; nothing is changed, locked or fetched.

    Each host is asked what it has: a release that lies there whole is not fetched again.
    """
    from castoff.cli.render.fetched import fetched
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.partial import homeless_steps
    from castoff.releaser.release import look_ahead, resolve

    check_version(version)
    scope = chosen_scope(
        config, app, environment, only, without, writes=False, concurrency=concurrency
    )
    made = look_ahead(resolve(scope, "release", version))
    if as_json:
        print_json({**asdict(made), "partial": scope.partial})
        return
    _print_head(made, scope)
    print_table(
        ("host", "roles", "serves", "group", "would fetch", "free", "would do"),
        [
            (
                host.name,
                " ".join(host.roles),
                host.current or "-",
                str(host.batch or "-"),
                fetched(host.ways),
                size(host.free_bytes),
                ", ".join(_in_order(host)),
            )
            for host in made.hosts
        ],
        spare=("roles",),
    )
    for host in made.hosts:
        if host.damage:
            typer.echo(f"{host.name}: {made.version} there is made anew: {host.damage}")
    if made.shared:
        typer.echo(f"links into shared/ on each host: {', '.join(made.shared)}")
    for file in made.files:
        _print_change(file)
    if made.secrets:
        typer.echo(f"secrets that it looks up first: {', '.join(made.secrets)}")
    for moment, step, leader in made.once:
        when = "when all have activated" if moment == "after_activate" else "before any host flips"
        typer.echo(f"once, {when}: {step} on {leader}")
    if made.gate:
        when = "the flip" if made.strategy == "blue-green" else "the next group"
        typer.echo(f"before {when} ({made.strategy}): {'; then '.join(made.gate)}")
    for name in homeless_steps(scope):
        typer.echo(f"{name} does not run: none of these hosts can lead it")


def _print_head(made: Plan, scope: Scope) -> None:
    """Print what is about to go where, and what is not as usual about it."""
    if scope.partial:
        typer.echo(f"PARTIAL: {scope.partial}; the other hosts stay as they are")
    typer.echo(
        f"release {made.app} {made.version} (commit {made.commit[:10]}) to {made.environment}, "
        f"which has {made.live or 'nothing yet'}"
    )
    for name, why in made.left_out:
        typer.echo(f"would be left out: {name} ({why})")
    for line in _migrations(made):
        typer.echo(line)
    for name in made.quarantined:
        typer.echo(f"in quarantine now: {name}; it leaves it if it takes part and is healthy")
    if made.frozen:
        typer.echo(f"FROZEN {made.frozen}; it would be refused")


def _print_change(file: FileChange) -> None:
    """Print what would become of a configuration file, and on which hosts."""
    hand = "; edited since Castoff put it there, of which a copy is kept" if file.edited else ""
    typer.echo(f"{file.path} ({file.change}{hand}) on {', '.join(file.hosts)}:")
    for line in file.diff.splitlines():
        typer.echo(f"    {line}")


def _migrations(made: Plan) -> Iterator[str]:
    if made.migrations:
        yield f"migrations to run: {few(made.migrations)}"
    for name, why in made.in_the_way:
        yield f"REFUSED over {name}, which {made.version} may not live with: {why}"
    for name, why in made.no_way_back:
        yield f"NO WAY BACK over {name}, which {made.live} may not live with: {why}"


def _in_order(host: HostPlan) -> list[str]:
    """Return a host's steps with the flip in its place among them."""
    before = [name for moment, name in host.steps if moment in _BEFORE_THE_FLIP]
    after = [name for moment, name in host.steps if moment not in _BEFORE_THE_FLIP]
    return [*before, "flip", *after]
