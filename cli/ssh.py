"""`castoff ssh`: the OpenSSH client, on one host of the configuration."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EnvironmentOption
from castoff.store.errors import UsageError


def ssh(
    host: Annotated[str, typer.Argument(metavar="HOST", help="Its name in castoff.toml.")],
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMMAND]", help="Else a shell; write `--` before it."),
    ] = None,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Log in to a host with its user, key, port, jump hosts and trusted keys of castoff.toml."""
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.transports.openssh import ssh_argv

    (chosen,) = chosen_scope(config, app, environment, host, None, writes=False).hosts
    if chosen.transport == "local":
        raise UsageError(f"{host} is a folder of this machine", hint=f"cd {chosen.root}")
    argv = ssh_argv(chosen, command or [])
    sys.stdout.flush()
    try:
        os.execvp(argv[0], argv)  # noqa: S606 (no shell: that is the point)
    except FileNotFoundError as error:
        raise UsageError("there is no `ssh` here", hint="Install OpenSSH's client.") from error
