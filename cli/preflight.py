"""`castoff preflight`: what would stop a release, on every host, before anybody wants one."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from castoff.cli.completion import stored_versions
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
from castoff.store.version import check_version


def preflight(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]",
            help="A version in the store that the hosts are to be fit for.",
            autocompletion=stored_versions,
        ),
    ] = None,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Do on every host what a release does first, and say what is wrong and how to mend it.

    Connection, login, sudo, Python, the app's folders and the right to write there; with a
    version also its platform, interpreter and space. The exit code says if anything is wrong. The
    secrets that a release needs are looked up, too.
    """
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table
    from castoff.cli.scope import chosen_scope
    from castoff.releaser.operations.check_hosts import check_hosts
    from castoff.releaser.secrets.named import find_named
    from castoff.releaser.secrets.used import needed_by

    if version is not None:
        check_version(version)
    scope = chosen_scope(
        config, app, environment, only, without, writes=True, concurrency=concurrency
    )
    found = check_hosts(scope, version)
    if as_json:
        print_json([asdict(host) for host in found])
    else:
        print_table(
            ("host", "address", "user", "python", "free", ""),
            [
                (
                    host.name,
                    host.address,
                    host.user or "-",
                    host.python or "-",
                    size(host.free_bytes),
                    host.problem.splitlines()[0] if host.problem else "ok",
                )
                for host in found
            ],
        )
        for host in found:
            if host.mend:
                typer.echo(f"{host.name}: -> {host.mend}")
            elif host.detour:
                typer.echo(f"{host.name}: not reached {host.detour}")
    if any(host.problem for host in found):
        raise typer.Exit(ExitCode.PREFLIGHT)
    find_named(scope, needed_by(scope, "release"))
