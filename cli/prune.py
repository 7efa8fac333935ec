"""`castoff prune`, `pin` and `unpin`: which old releases stay on the hosts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

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
    as_text,
)
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.releaser.operations.prune_hosts import HostPruned


def prune(
    environment: EnvironmentOption = None,
    keep: Annotated[
        int | None,
        typer.Option(
            "--keep",
            min=1,
            help="Good releases that stay, the current one among them; default: the environment's.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")
    ] = False,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove old releases from the hosts, also where a disk is full.

    Releases that failed go first and never push a good one out. The current release, the good one
    before it, pinned ones and those that a process still uses always stay.
    """
    from castoff.cli.render.json_out import print_json
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.operations.prune_hosts import look_at_prunable, prune_hosts

    scope = chosen_scope(
        config, app, environment, only, without, writes=not dry_run, concurrency=concurrency
    )
    number = scope.environment.keep if keep is None else keep
    done = look_at_prunable(scope, keep=number) if dry_run else prune_hosts(scope, keep=number)
    if as_json:
        print_json(
            {
                "app": scope.app,
                "environment": scope.environment_name,
                "keep": number,
                "dry_run": dry_run,
                "freed": sum(host.freed for host in done.hosts),
                "hosts": [asdict(host) for host in done.hosts],
            }
        )
    else:
        _print(done.hosts, dry_run=dry_run)
    if done.failure is not None:
        raise done.failure


def pin(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    reason: Annotated[
        str,
        typer.Option("--reason", "-m", callback=as_text, help="Why, for whoever wonders later."),
    ] = "",
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Keep a version on an environment's hosts, however many releases come after it."""
    from castoff.cli.decision import open_decision
    from castoff.store import artifacts, pins

    check_version(version)
    made = open_decision(config, app, environment)
    artifacts.fetch_manifest(made.store, made.app, version)
    pins.pin(*made.where, version, owner=made.who, reason=reason, job_url=made.job_url)
    typer.echo(f"{version} is pinned in {made.environment} of {made.app}")


def unpin(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a pinned version go like any other."""
    from castoff.cli.decision import open_decision
    from castoff.store import pins

    check_version(version)
    made = open_decision(config, app, environment)
    pins.unpin(*made.where, version, owner=made.who, job_url=made.job_url)
    typer.echo(f"{version} is not pinned any more in {made.environment} of {made.app}")


def _print(found: tuple[HostPruned, ...], *, dry_run: bool) -> None:
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table

    print_table(
        ("host", "would go" if dry_run else "removed", "freed", "stays"),
        [
            (
                host.name,
                ", ".join(host.removed) or "-",
                size(host.freed),
                ", ".join(f"{version} ({why})" for version, why in (host.kept or {}).items()),
            )
            for host in found
        ],
    )
    total = sum(host.freed for host in found)
    typer.echo(f"{size(total)} {'would be freed' if dry_run else 'freed'} in all")
