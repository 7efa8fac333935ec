"""`castoff maintenance on` and `off`: a page instead of the app, on all hosts at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    OnlyOption,
    as_text,
)
from castoff.store.counted import counted
from castoff.store.errors import UsageError

if TYPE_CHECKING:
    from castoff.releaser.job import Scope

maintenance = typer.Typer(
    no_args_is_help=True, help="Serve a maintenance page instead of the app, on all hosts at once."
)

ReasonOption = Annotated[
    str, typer.Option("--reason", "-m", callback=as_text, help="Why, for the history.")
]


@maintenance.command("on")
def on(
    environment: EnvironmentOption = None,
    message: Annotated[
        str | None, typer.Option("--message", help="What a plain page says, instead of a page.")
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--page", help="The page, an HTML file; default: `maintenance_page`."),
    ] = None,
    reason: ReasonOption = "",
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
) -> None:
    """Switch the maintenance page on; the web server has to look for it.

    The page is put on every host first; then all are switched at once, each by one rename.
    """
    from castoff.releaser.maintenance import switch
    from castoff.releaser.page import page_saying

    if message is not None and page is not None:
        raise UsageError("--message and --page are two pages", hint="Give one of them.")
    given = page_saying(message) if message is not None else _read(page)
    scope = _scope(config, app, environment, only, without, concurrency)
    done = switch(scope, _own(scope) if given is None else given, reason=reason)
    typer.echo(
        f"the maintenance page is on, on {counted(done.hosts, 'host')} of {scope.environment_name}"
    )


@maintenance.command("off")
def off(
    environment: EnvironmentOption = None,
    reason: ReasonOption = "",
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
) -> None:
    """Switch the maintenance page off: the app is served again, on all hosts at once."""
    from castoff.releaser.maintenance import switch

    scope = _scope(config, app, environment, only, without, concurrency)
    done = switch(scope, None, reason=reason)
    typer.echo(
        f"the maintenance page is off, on {counted(done.hosts, 'host')} of {scope.environment_name}"
    )


def _scope(
    config: ConfigOption,
    app: AppOption,
    environment: EnvironmentOption,
    only: OnlyOption,
    without: ExceptOption,
    concurrency: ConcurrencyOption,
) -> Scope:
    from castoff.cli.scope import chosen_scope

    return chosen_scope(
        config, app, environment, only, without, writes=True, concurrency=concurrency
    )


def _own(scope: Scope) -> str:
    from castoff.releaser.maintenance import page_of

    return page_of(scope)


def _read(page: Path | None) -> str | None:
    if page is None:
        return None
    try:
        return page.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError(f"--page: {page} cannot be read: {what}") from error
