"""The tree of commands, in the order in which the help lists them."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from castoff.cli.sparing import SparingCommand, SparingGroup

# The module below `castoff.cli` in which a command is, as a function or a group of its name.
_TREE = {
    "init": "init",
    "build": "build",
    "cache": "cache",
    "sign": "sign",
    "keys": "keys",
    "push": "push",
    "versions": "versions",
    "inspect": "inspect",
    "diff": "diff",
    "verify": "verify",
    "mirror": "mirror",
    "policy": "policy",
    "gc": "gc",
    "secrets": "secrets",
    "provision": "provision",
    "preflight": "preflight",
    "plan": "plan",
    "release": "release",
    "prepare": "release",
    "activate": "release",
    "rollback": "release",
    "resume": "resume",
    "abort": "resume",
    "converge": "converge",
    "lock": "lock",
    "unlock": "lock",
    "pin": "prune",
    "unpin": "prune",
    "prune": "prune",
    "backup": "backup",
    "backups": "backup",
    "restore": "backup",
    "maintenance": "maintenance",
    "status": "status",
    "run": "run",
    "logs": "logs",
    "ssh": "ssh",
    "history": "history",
    "report": "report",
    "notes": "notes",
    "notify": "notify",
}


def tree(called: str = "") -> typer.Typer:
    """Return the command line, with all commands or with the one that is called alone.

    Loading all commands and reading their signatures takes longer than many a command itself.

    Args:
        called: The command line's first word; if it names no command, all are there.
    """
    app = typer.Typer(
        name="castoff",
        cls=SparingGroup,
        help="Build once, release to every server at once, roll back in a rename.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name in [called] if called in _TREE else _TREE:
        command = getattr(import_module(f"castoff.cli.{_TREE[name]}"), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, cls=SparingCommand)(command)
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
