"""`castoff backup`, `backups` and `restore`: an environment's data, made safe and brought back."""

from __future__ import annotations

import time
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

if TYPE_CHECKING:
    from castoff.releaser.backups.restoring import Known
    from castoff.releaser.job import Scope

IdentityOption = Annotated[
    Path | None,
    typer.Option(
        "--identity", "-i", metavar="FILE", help="What decrypts back-ups: a file of age-keygen."
    ),
]
ConsentOption = Annotated[
    bool, typer.Option("--yes", help="Answer the question with yes, in advance.")
]


def backup(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[STEP]", help="Which back-up step; default: all of them."),
    ] = None,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make back-ups now, by the environment's back-up steps.

    Nothing that serves changes. A back-up that is not whole is never listed, and what is left of
    it goes with the next one.
    """
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.prefixed import Prefixed
    from castoff.cli.render.sizes import size
    from castoff.releaser.backups.now import back_up_now

    scope = _scope(config, app, environment, concurrency, writes=True)
    if as_json:
        made = back_up_now(scope, name, lambda _host, _line: None)
        print_json([one.model_dump(mode="json", by_alias=True) for one in made])
        return
    out = Prefixed([host.name for host in scope.hosts])
    for one in back_up_now(scope, name, out.say):
        typer.echo(f"{one.id} is made: {one.kind} {one.name}, {size(one.size)}")


def backups(
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """List back-ups, newest first: those in the store, and those that hosts keep."""
    from castoff.cli.render.json_out import print_json
    from castoff.releaser.backups.known import survey

    scope = _scope(config, app, environment, concurrency, writes=False)
    known = survey(scope)
    if as_json:
        print_json(
            [
                {**one.backup.model_dump(mode="json", by_alias=True), "place": one.place}
                for one in reversed(known.found)
            ]
        )
    elif known.found:
        _print(known.found[::-1])
    else:
        typer.echo(
            f"{scope.app} has no back-up in {scope.environment_name} yet: "
            f"castoff backup --env {scope.environment_name}"
        )
    for failure in known.failures:
        typer.echo(f"not asked: {failure.message}", err=True)
    for broken in known.damaged:
        typer.echo(f"cannot be read: {broken.message}", err=True)
    for unknown in known.unknown:
        raise unknown


def restore(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="Which back-up; `castoff backups` has them.")
    ],
    environment: EnvironmentOption = None,
    identity: IdentityOption = None,
    yes: ConsentOption = False,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Restore a back-up: check all of it, fill a copy, then let the copy take the data's place.

    A damaged one is refused before anything is touched. What is replaced is kept, under a name
    that is told, with what to type to go back to it. Writes during the restore would be lost: put
    the maintenance page on first. Nothing is restarted: release the live version again for that.
    """
    from castoff.cli.consent import consent
    from castoff.cli.render.json_out import print_json
    from castoff.cli.render.prefixed import Prefixed
    from castoff.releaser.backups.known import look_up
    from castoff.releaser.backups.lost import what_is_lost
    from castoff.releaser.backups.restore import restore_now, restoring
    from castoff.releaser.record import on_record

    scope = _scope(config, app, environment, concurrency, writes=True)
    known = look_up(scope, identifier)
    one = restoring(scope, known, identity)
    for line in what_is_lost(scope, known, now=time.time()):
        typer.echo(line, err=True)
    live, then = on_record(scope), known.backup.version
    if one.holds_a_database and then is not None and then != live:
        typer.echo(
            f"{live} is live, and this is the data of {then}, without later migrations; code goes "
            f"back with it by: castoff rollback {then} --to-backup {identifier}",
            err=True,
        )
    consent(f"Restore {known.backup.name} in {scope.environment_name}?", yes=yes)
    out = Prefixed([host.name for host in scope.hosts])
    done = restore_now(scope, one, (lambda _host, _line: None) if as_json else out.say)
    if as_json:
        facts = {"id": identifier, "name": done.what, "host": done.host}
        print_json({**facts, "kept": done.kept, "undo": done.undo})
    else:
        typer.echo(done.words())
        if live is not None:
            typer.echo(
                "Nothing was restarted, and no cache cleared; that does: "
                f"castoff release {live} --env {scope.environment_name}"
            )


def _scope(
    config: ConfigOption,
    app: AppOption,
    environment: EnvironmentOption,
    concurrency: ConcurrencyOption,
    *,
    writes: bool,
) -> Scope:
    from castoff.cli.project import open_project
    from castoff.cli.scope import open_scope

    project = open_project(config, app)
    return open_scope(project, environment, writes=writes, concurrency=concurrency)


def _print(several: list[Known]) -> None:
    from castoff.cli.render.sizes import size
    from castoff.cli.render.tables import print_table
    from castoff.releaser.backups.lost import age, clock

    now = time.time()
    print_table(
        ("id", "when", "ago", "step", "what", "size", "live then", "coming", "place", "encrypted"),
        [
            (
                one.backup.id,
                clock(one.backup.time),
                age(now - one.backup.time),
                one.backup.step,
                f"{one.backup.kind} {one.backup.name}",
                size(one.backup.size),
                one.backup.version or "-",
                one.backup.coming or "-",
                one.place,
                one.backup.encryption or "-",
            )
            for one in several
        ],
    )
