"""`castoff report`: one release as a page to keep, to send round, to look at on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ConfigOption,
    EntryArgument,
    EnvironmentOption,
    JsonOption,
)
from castoff.store.errors import UsageError


def report(
    number: EntryArgument = None,
    environment: EnvironmentOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write, or `-` for standard output; "
            "default: release-ENVIRONMENT-NUMBER.html here.",
        ),
    ] = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write one release as a self-contained HTML page: timeline, downtimes, steps, logs.

    Without a number it is the newest entry of `castoff history`.
    """
    from castoff.cli.project import open_project
    from castoff.cli.render.entry_json import entry_json
    from castoff.cli.render.json_out import print_json
    from castoff.config.select import select_environment
    from castoff.store import remarks
    from castoff.store.history import find

    project = open_project(config, app)
    name, _ = select_environment(project.loaded.config, environment)
    store = project.store()
    entry = find(store, project.app, name, number)
    remarked = remarks.read(store, project.app, name, entry.number)
    if as_json:
        print_json(entry_json(entry, remarked))
        return
    from castoff.cli.render.report_page import report_page

    page = report_page(entry, remarked, app=project.app, environment=name).encode()
    if output == "-":
        typer.echo(page, nl=False)
        return
    path = Path(output or f"release-{name}-{entry.number}.html")
    try:
        path.write_bytes(page)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", hint="Name another one with --output."
        ) from error
    typer.echo(path)
