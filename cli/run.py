"""`castoff run`: a command of one's own on all hosts, in what they serve."""

from __future__ import annotations

import shlex
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


def run(
    command: Annotated[
        list[str],
        typer.Argument(
            metavar="COMMAND",
            help="One word is a line of shell; several are a program and its arguments.",
        ),
    ],
    environment: EnvironmentOption = None,
    role: RoleOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=1, max=86_400, help="Seconds it may take on a host.")
    ] = 3600,
    secret: Annotated[
        list[str] | None,
        typer.Option("--secret", metavar="NAME", help="A secret that it has as a variable."),
    ] = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
) -> None:
    """Run a command on hosts at once, in the directory of the release that each serves.

    It has the variables that steps have. What it prints comes with its host before each line.
    Nothing is locked or recorded, and an interrupt lets it run on: write `--` before it. Secrets
    that it is given are kept out of what is shown.
    """
    from castoff.cli.render.prefixed import Prefixed
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.operations.everywhere import run_everywhere
    from castoff.releaser.partial import Choice, narrow
    from castoff.releaser.secrets.named import chosen_secrets

    scope = chosen_scope(
        config, app, environment, only, without, writes=False, concurrency=concurrency
    )
    if role is not None:
        scope = narrow(scope, Choice(only=f"role:{role}"))
    line = command[0] if len(command) == 1 else shlex.join(command)
    out = Prefixed([host.name for host in scope.hosts])
    secrets = chosen_secrets(scope, secret or ())
    run_everywhere(scope, line, out.say, timeout=timeout, secrets=secrets)
