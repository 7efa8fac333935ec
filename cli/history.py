"""`castoff history`: every release, rollback and failure of an environment, newest first."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ConfigOption,
    EntryArgument,
    EnvironmentOption,
    JsonOption,
)

if TYPE_CHECKING:
    from castoff.store.history import Entry

# What a step printed is for one entry alone: many of them together would be a flood.
_WITHOUT_OUTPUT = {"hosts": {"__all__": {"steps": {"__all__": {"output", "left_out"}}}}}


def history(
    number: EntryArgument = None,
    environment: EnvironmentOption = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, help="How many entries, newest first.")
    ] = 20,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was released, by whom, from which version to which, and how it ended.

    With a number: that entry alone, with the steps of each host.
    """
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.config.select import select_environment
    from castoff.store.history import entries, find

    project = open_project(config, app)
    name, _ = select_environment(project.loaded.config, environment)
    if number is not None:
        entry = find(project.store(), project.app, name, number)
        if as_json:
            print_json(entry.model_dump(mode="json", by_alias=True))
        else:
            _print_one(entry)
        return
    found = entries(project.store(), project.app, name, limit=limit)
    if as_json:
        print_json(
            [
                entry.model_dump(mode="json", by_alias=True, exclude=_WITHOUT_OUTPUT)
                for entry in found
            ]
        )
    elif found:
        _print_all(found)
    else:
        typer.echo(f"{project.app} has not been released to {name} yet")


def _print_all(found: list[Entry]) -> None:
    from castoff.cli.render.sizes import seconds
    from castoff.cli.render.tables import print_table

    print_table(
        ("#", "when (UTC)", "what", "from", "to", "outcome", "took", "activation", "who"),
        [
            (
                str(entry.number),
                _time(entry.started),
                entry.kind,
                entry.from_version or "-",
                entry.version,
                _outcome(entry),
                seconds(entry.ended - entry.started),
                seconds(entry.activation_seconds),
                entry.who,
            )
            for entry in found
        ],
    )
    for entry in found:
        if entry.detail:
            typer.echo(f"#{entry.number}: {entry.detail.splitlines()[0]}")


def _print_one(entry: Entry) -> None:
    from castoff.cli.render.report import print_entry
    from castoff.cli.render.watching import stdout_console

    typer.echo(
        f"#{entry.number}: {entry.kind} {entry.version} "
        f"(from {entry.from_version or 'nothing'}, commit {entry.commit[:10]}), "
        f"{_outcome(entry)}, {_time(entry.started)} UTC, by {entry.who}"
    )
    if entry.detail:
        typer.echo(entry.detail)
    print_entry(entry, stdout_console())


def _outcome(entry: Entry) -> str:
    left_out = ", ".join(one.name for one in entry.quarantined)
    marks = [entry.only, f"in quarantine: {left_out}" if left_out else ""]
    told = "; ".join(mark for mark in marks if mark)
    return f"{entry.outcome} ({told})" if told else entry.outcome


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
