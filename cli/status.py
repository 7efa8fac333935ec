"""`castoff status`: what every host serves, and whether that is what it should serve."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ConcurrencyOption,
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
    deep: Annotated[
        bool, typer.Option("--deep", help="Read every file of what the hosts serve again.")
    ] = False,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each host serves; the exit code says whether all agree with the record.

    Files that were touched since the release was made are read and compared, and what changed, is
    missing or does not belong there is named.
    """
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.status import print_status
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.operations.status import look

    scope = chosen_scope(
        config, app, environment, only, without, writes=False, concurrency=concurrency
    )
    found = look(scope, deep=deep)
    if as_json:
        rows = [
            {**asdict(host), "restarted": not host.stale, "agrees": found.fits(host)}
            for host in found.hosts
        ]
        print_json({**asdict(found), "hosts": rows, "agrees": found.agrees})
    else:
        print_status(found)
    if not found.agrees:
        raise typer.Exit(ExitCode.DISAGREE)
