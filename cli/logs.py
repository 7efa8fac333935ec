"""`castoff logs`: the ends of log files of all hosts, side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    OnlyOption,
    RoleOption,
)
from castoff.store.errors import UsageError


def logs(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE]", help="Absolute, or below the app's shared/."),
    ] = None,
    unit: Annotated[
        str | None, typer.Option("--unit", "-u", help="The journal of this unit of systemd.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="Lines of what is there already.")
    ] = 20,
    environment: EnvironmentOption = None,
    role: RoleOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
) -> None:
    """Show the ends of log files of all hosts, each line with its host before it."""
    from castoff.cli.render.prefixed import Prefixed
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.operations.logs import Wanted, read_logs
    from castoff.releaser.partial import Choice, narrow

    if bool(files) == (unit is not None):
        raise UsageError("name either files or a unit", hint="castoff logs web.log --follow")
    scope = chosen_scope(
        config, app, environment, only, without, writes=False, concurrency=concurrency
    )
    if role is not None:
        scope = narrow(scope, Choice(only=f"role:{role}"))
    out = Prefixed([host.name for host in scope.hosts])
    wanted = Wanted(files=tuple(files or ()), unit=unit, lines=lines, follow=follow)
    read_logs(scope, wanted, out.say)
