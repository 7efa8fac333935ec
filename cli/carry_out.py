"""Carry a run out and show it: live while it goes, the table after it, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from castoff.store.errors import CastoffError

if TYPE_CHECKING:
    from castoff.releaser.job import Scope
    from castoff.releaser.timeline import Timeline


def carry_out(
    scope: Scope,
    title: str,
    action: Callable[[Timeline], str],
    *,
    facts: dict[str, object],
    as_json: bool,
    yes: bool = False,
) -> None:
    """Run `action` under watch, and print its report.

    Args:
        scope: Whose hosts are shown.
        title: What is done, for the live table.
        action: Does it, recording into the timeline; returns the last line for the person.
        facts: What the JSON document says beside the report.
        as_json: Whether to print that instead of the table.
        yes: Whether questions are answered with yes, unasked.

    Raises:
        CastoffError: What the action raised, after the report has been printed.
    """
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.report import print_report, report_json
    from castoff.cli.render.watching import stdout_console, watching
    from castoff.releaser.timeline import Timeline

    names = [host.name for host in scope.hosts]
    failure: CastoffError | None = None
    done = ""
    with watching(names, title, yes=yes) as watch:
        timeline = Timeline(watch)
        try:
            done = action(timeline)
        except CastoffError as error:
            failure = error
    if as_json:
        print_json(
            {
                "app": scope.app,
                "environment": scope.environment_name,
                **facts,
                "ok": failure is None,
                "exit_code": 0 if failure is None else int(failure.exit_code),
                "error": None if failure is None else failure.message,
                **report_json(timeline, names),
            }
        )
    else:
        print_report(timeline, names, stdout_console())
    if failure is not None:
        raise failure
    if not as_json:
        typer.echo(done)
