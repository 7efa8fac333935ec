"""`castoff history`: every release, rollback, failure and lock of an environment, newest first."""

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
    from collections.abc import Mapping

    from castoff.store.deed import Deed
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

    Locks, pins and prunings are there too. With a number: that entry alone, with the commits that
    came, the plan and the steps of each host.
    """
    from castoff.cli.names import open_names
    from castoff.cli.render.entry_json import entry_json
    from castoff.cli.render.json_out import print_json
    from castoff.store import remarks
    from castoff.store.history import everything, look_up

    names = open_names(config, app)
    where = names.store, names.app, names.environment(environment)
    if number is not None:
        entry = look_up(*where, number)
        remarked = remarks.read(*where, number)
        if as_json:
            print_json(entry_json(entry, remarked))
        else:
            _print_one(entry, remarked)
        return
    found = everything(*where, limit=limit)
    told = remarks.read_all(*where, {entry.number for entry in found})
    if as_json:
        print_json(
            [
                entry_json(entry, told.get(entry.number, ()), exclude=_WITHOUT_OUTPUT)
                for entry in found
            ]
        )
    elif found:
        _print_all(found, told)
    else:
        typer.echo(f"{names.app} has not been released to {where[2]} yet")


def _print_all(found: list[Entry | Deed], remarked: Mapping[int, tuple[str, ...]]) -> None:
    from castoff.cli.render.tables import print_table

    print_table(
        ("#", "when (UTC)", "what", "from", "to", "outcome", "took", "activation", "who"),
        [_row(entry) for entry in found],
        spare=("activation", "took", "from"),
    )
    for entry in found:
        told = _told(entry)
        if told:
            typer.echo(f"#{entry.number}: {told.splitlines()[0]}")
        for line in remarked.get(entry.number, ()):
            typer.echo(f"#{entry.number}: {line}")


def _row(entry: Entry | Deed) -> tuple[str, ...]:
    from castoff.cli.render.deed import outcome_of
    from castoff.cli.render.sizes import seconds
    from castoff.store.deed import Deed

    if isinstance(entry, Deed):
        when, to = _time(entry.at), entry.version or "-"
        return (
            str(entry.number),
            when,
            entry.kind,
            "-",
            to,
            outcome_of(entry),
            "-",
            "-",
            entry.who,
        )
    return (
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


def _told(entry: Entry | Deed) -> str:
    from castoff.store.deed import Deed

    return entry.reason if isinstance(entry, Deed) else entry.detail


def _print_deed(deed: Deed) -> None:
    from castoff.cli.render.deed import outcome_of, told

    about = f" {deed.version}" if deed.version else ""
    typer.echo(
        f"#{deed.number}: {deed.kind}{about}, {outcome_of(deed)}, {_time(deed.at)} UTC, "
        f"by {deed.who}"
    )
    _print_job(deed)
    for line in told(deed):
        typer.echo(line)


def _print_job(entry: Entry | Deed) -> None:
    if entry.job_url:
        typer.echo(f"CI job: {entry.job_url}")


def _print_one(entry: Entry | Deed, remarked: tuple[str, ...]) -> None:
    from castoff.cli.render.changes import commit_lines, print_plan
    from castoff.cli.render.few import few
    from castoff.cli.render.report import print_entry
    from castoff.cli.render.watching import stdout_console
    from castoff.store.deed import Deed

    if isinstance(entry, Deed):
        _print_deed(entry)
        return
    typer.echo(
        f"#{entry.number}: {entry.kind} {entry.version} "
        f"(from {entry.from_version or 'nothing'}, commit {entry.commit[:10]}), "
        f"{_outcome(entry)}, {_time(entry.started)} UTC, by {entry.who}"
    )
    _print_job(entry)
    if entry.detail:
        typer.echo(entry.detail)
    for line in remarked:
        typer.echo(f"note: {line}")
    if entry.allowed:
        typer.echo(f"allowed although {entry.version} may not live with it: {few(entry.allowed)}")
    if entry.taken_back:
        typer.echo(f"migrations to take back: {few(entry.taken_back)}")
    if entry.commits is not None:
        for line in commit_lines(entry.commits):
            typer.echo(line)
    if entry.plan is not None:
        print_plan(entry.plan)
    print_entry(entry, stdout_console())


def _outcome(entry: Entry) -> str:
    left_out = ", ".join(one.name for one in entry.quarantined)
    marks = [entry.only, f"in quarantine: {left_out}" if left_out else ""]
    told = "; ".join(mark for mark in marks if mark)
    return f"{entry.outcome} ({told})" if told else entry.outcome


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
