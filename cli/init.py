"""`castoff init`: a first castoff.toml for the project in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from castoff.config.scaffold.detect import Kind


_KINDS: dict[Kind, str] = {
    "django": "a Django project",
    "wsgi": "a WSGI application",
    "asgi": "an ASGI application",
    "package": "a Python package",
    "static": "a static site",
    "files": "a folder of files",
}


def init(
    directory: Annotated[Path, typer.Argument(help="Folder of the project.")] = Path(),
    force: Annotated[
        bool, typer.Option("--force", help="Replace a castoff.toml that is there.")
    ] = False,
    name: Annotated[
        str | None,
        typer.Option("--name", help="Name of the app; else the project's own.", metavar="APP"),
    ] = None,
) -> None:
    """Write a commented castoff.toml that fits the project, and say what is left to do."""
    from castoff.config.scaffold import scaffold

    written = scaffold(directory, force=force, name=name)
    typer.echo(f"Wrote {written.path} for {_KINDS[written.kind]}. Next:")
    for number, note in enumerate(written.notes, start=1):
        typer.echo(f"{number}. {note}")
