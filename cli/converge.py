"""`castoff converge`: bring hosts that fell behind to the version that all are to serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.carry_out import carry_out
from castoff.cli.options import (
    AppOption,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    JsonOption,
    YesOption,
)

if TYPE_CHECKING:
    from castoff.releaser.timeline import Timeline


def converge(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[HOST]...",
            help="Hosts, or `role:NAME`; default: those in quarantine, and all others that do "
            "not serve the version on record.",
        ),
    ] = None,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring hosts to the version that their environment has, and let them leave quarantine.

    They are prepared, flipped, restarted and checked as in a release; back-up and migrate steps do
    not run. A host that cannot be prepared does not keep the others from it.
    """
    from castoff.cli.project import open_project
    from castoff.cli.render.json_out import print_json
    from castoff.cli.scope import open_scope
    from castoff.releaser.converge import converging
    from castoff.releaser.release import run

    scope = open_scope(open_project(config, app), environment, writes=True, concurrency=concurrency)
    job = converging(scope, hosts or ())
    facts: dict[str, object] = {"kind": "converge"}
    if job is None:
        if as_json:
            around = {"app": scope.app, "environment": scope.environment_name}
            print_json({**around, **facts, "ok": True, "exit_code": 0, "error": None, "hosts": []})
        else:
            typer.echo(f"nothing to do: every host of {scope.environment_name} is up to date")
        return

    def action(timeline: Timeline) -> str:
        run(job, timeline)
        names = ", ".join(host.name for host in job.hosts)
        return f"{job.version} is live on {names}, as everywhere in {scope.environment_name}"

    carry_out(
        job.scope,
        f"converge {scope.environment_name} to {job.version}",
        action,
        facts={**facts, "version": job.version},
        as_json=as_json,
        yes=yes,
    )
