"""The tree of commands, in the order in which the help lists them."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from castoff.cli.sections import Sections
from castoff.cli.sparing import SparingCommand
from castoff.cli.summaries import MODULES, SUMMARIES


def tree(called: str = "") -> typer.Typer:
    """Return the command line, with all commands or with the one that is called alone.

    Loading all commands and reading their signatures takes longer than many a command itself.

    Args:
        called: The command line's first word; if it names no command, all are there.
    """
    app = typer.Typer(
        name="castoff",
        cls=Sections,
        help="Build once, release to every server at once, roll back in a rename.",
        epilog="`castoff COMMAND --help` says more of each. All that ask hosts take --env.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in [called] if called in MODULES else MODULES:
        command = getattr(import_module(f"castoff.cli.{MODULES[name]}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, short_help=SUMMARIES[name])
        else:
            app.command(name, cls=SparingCommand, short_help=SUMMARIES[name])(command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        # It brings half of the standard library, which every other start does without.
        from importlib.metadata import version

        typer.echo(f"castoff {version('castoff')}")
        raise typer.Exit


def _root(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print Castoff's version."
        ),
    ] = False,
) -> None:
    """Build once, release to every server at once, roll back in a rename."""
