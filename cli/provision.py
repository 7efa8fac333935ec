"""`castoff provision`: make hosts ready for a first release, or say what they lack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.options import (
    AppOption,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    JsonOption,
)
from castoff.store.errors import ExitCode

if TYPE_CHECKING:
    from castoff.config.model import Provision
    from castoff.provisioner.outcome import Outcome, ThingOutcome
    from castoff.releaser.job import Scope


def provision(
    hosts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[HOST]...", help="Hosts, or `role:NAME`; default: all."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Say what differs on each host, and change nothing."),
    ] = False,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make bare Debian hosts ready: user, folders, Python, packages, nginx, units, firewall.

    What is to be there stands in [environments.NAME.provision]; what is so already is left alone,
    so it can be run again at any time. Nothing is begun unless every host can be reached. With
    --check the exit code says if anything differs.
    """
    from castoff.cli.project import open_project
    from castoff.cli.scope import open_scope
    from castoff.provisioner.errors import NothingDescribed
    from castoff.releaser.partial import Choice

    choice = Choice(only=",".join(hosts)) if hosts else None
    project = open_project(config, app)
    base = project.loaded.base
    scope = open_scope(project, environment, writes=False, choice=choice, concurrency=concurrency)
    table = scope.environment.provision
    if table is None:
        raise NothingDescribed(
            f"castoff.toml does not say what hosts of {scope.environment_name} are to have",
            hint=f"Describe it in [environments.{scope.environment_name}.provision]: "
            "docs/how-to/provision.md.",
        )
    if table.command is not None:
        _by_command(scope, table, base, check=check, as_json=as_json)
    else:
        _by_castoff(scope, table, base, check=check, as_json=as_json)


def _by_command(scope: Scope, table: Provision, base: Path, *, check: bool, as_json: bool) -> None:
    from castoff.cli.render.json_out import print_json
    from castoff.provisioner.hook import call
    from castoff.provisioner.inventory import for_ansible, inventory
    from castoff.provisioner.work_order import way
    from castoff.releaser.transports.ssh_config import SshConfig

    config = SshConfig()
    ways = [(host, way(host, table.login, config)) for host in scope.hosts]

    def say(line: str) -> None:
        typer.echo(line, err=as_json)

    differs = call(
        table,
        inventory(scope.app, scope.environment_name, ways),
        for_ansible(ways),
        base,
        say,
        check=check,
        at_once=scope.environment.fan_out.concurrency,
    )
    if as_json:
        names = [{"name": host.name} for host in scope.hosts]
        print_json({**_around(scope, check=check), "differs": differs, "hosts": names})
    if differs:
        raise typer.Exit(ExitCode.DIFFERS)


def _by_castoff(scope: Scope, table: Provision, base: Path, *, check: bool, as_json: bool) -> None:
    from castoff.cli.render.json_out import print_json
    from castoff.provisioner.run import run
    from castoff.provisioner.work_order import work_order

    orders = work_order(scope.app, scope.recipe, scope.environment_name, table, scope.hosts, base)
    outcome = run(
        orders,
        _quiet if as_json else _tell,
        check=check,
        at_once=scope.environment.fan_out.concurrency,
        connect_timeout=scope.environment.limits.connect,
        command_timeout=table.timeout,
    )
    if as_json:
        differs = bool(outcome.count("would change"))
        found = {**_around(scope, check=check), "differs": differs, "hosts": _rows(scope, outcome)}
        print_json(found)
    _judge(scope, outcome, check=check)
    if not as_json:
        _sum_up(scope, outcome, check=check)
    if outcome.count("would change"):
        raise typer.Exit(ExitCode.DIFFERS)


def _judge(scope: Scope, outcome: Outcome, *, check: bool) -> None:
    from castoff.provisioner.errors import NotProvisioned, NotReached
    from castoff.releaser.errors import HostError

    where = scope.environment_name
    if outcome.misses:
        rest = "" if check else "; nothing was changed on any host"
        raise NotReached(f"hosts of {where} cannot be provisioned{rest}:", list(outcome.misses))
    failures = [
        HostError(thing.host, f"{thing.name}: {' / '.join(thing.details) or 'failed'}")
        for thing in outcome.things
        if thing.state == "failed"
    ]
    if failures:
        raise NotProvisioned(
            f"hosts of {where} are not ready:",
            failures,
            hint="What was done before that stays. Mend it, and run `castoff provision` again.",
        )


def _around(scope: Scope, *, check: bool) -> dict[str, object]:
    return {"app": scope.app, "environment": scope.environment_name, "check": check}


def _rows(scope: Scope, outcome: Outcome) -> list[dict[str, object]]:
    problems = {miss.host: miss.detail for miss in outcome.misses}
    return [
        {
            "name": host.name,
            "problem": problems.get(host.name),
            "things": [
                {"name": thing.name, "state": thing.state, "details": list(thing.details)}
                for thing in outcome.things
                if thing.host == host.name
            ],
        }
        for host in scope.hosts
    ]


def _tell(thing: ThingOutcome) -> None:
    typer.echo(f"{thing.host}: {thing.name}: {thing.state}")
    if thing.state != "failed":
        for line in thing.details:
            typer.echo(f"    {line}")


def _quiet(thing: ThingOutcome) -> None:
    """Tell of nothing: one document says it all at the end."""


def _sum_up(scope: Scope, outcome: Outcome, *, check: bool) -> None:
    count = len({thing.host for thing in outcome.things})
    hosts = f"{count} host{'' if count == 1 else 's'} of {scope.environment_name}"
    if check:
        typer.echo(
            f"{hosts}: {outcome.count('would change')} would change, {outcome.count('ok')} ok"
        )
    else:
        typer.echo(f"{hosts}: {outcome.count('changed')} changed, {outcome.count('ok')} ok")
