"""`castoff notify`: tell of a run once more."""

from __future__ import annotations

from typing import Annotated

import typer

from castoff.cli.options import AppOption, ConfigOption, EntryArgument, EnvironmentOption


def notify(
    number: EntryArgument = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="NAME", help="This notification alone, whatever outcomes it is for."
        ),
    ] = None,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
) -> None:
    """Send the notifications of a run again, or try one out on it.

    Without a number it is the newest run of `castoff history`. Those are sent that are for its
    outcome.
    """
    from castoff.cli.project import open_project
    from castoff.cli.scope import open_scope
    from castoff.releaser.notify.again import tell_again
    from castoff.store.history import find

    scope = open_scope(open_project(config, app), environment, writes=False)
    entry = find(scope.store, scope.app, scope.environment_name, number)
    sent = tell_again(scope, entry, to)
    typer.echo(
        f"sent: {', '.join(sent)}"
        if sent
        else f"no notification of {scope.environment_name} is for {entry.outcome!r}"
    )
