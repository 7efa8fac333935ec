"""`castoff release`, `prepare`, `activate` and `rollback`: one machine, four ways into it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from castoff.cli.backup import IdentityOption
from castoff.cli.carry_out import carry_out
from castoff.cli.completion import stored_versions
from castoff.cli.meeting import Meeting
from castoff.cli.options import (
    AllowIncompatibleOption,
    AppOption,
    ConcurrencyOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    JsonOption,
    MaintenanceOption,
    MaxRateOption,
    MaxRateTotalOption,
    NoPeersOption,
    OnlyOption,
    StayOption,
    VersionArgument,
    YesOption,
)
from castoff.store.counted import counted
from castoff.store.errors import UnknownVersion, UsageError
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.releaser.backups.restoring import Restoring
    from castoff.releaser.job import Kind, Scope
    from castoff.releaser.timeline import Timeline


def release(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    max_rate: MaxRateOption = None,
    max_rate_total: MaxRateTotalOption = None,
    no_peers: NoPeersOption = False,
    yes: YesOption = False,
    maintenance: MaintenanceOption = False,
    stay: StayOption = False,
    allow_incompatible: AllowIncompatibleOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version live: prepare on all hosts, then activate on all at once.

    If anything fails before the barrier, nothing that serves has changed; if a host fails after
    it, every host goes back to what it served before.
    """
    check_version(version)
    with Meeting() as hosts:
        scope = _scope(config, app, environment, only, without, concurrency, hosts)
        from castoff.releaser.rates import limited

        _carry_out(
            "release",
            limited(scope, max_rate, max_rate_total, peers=not no_peers),
            version,
            hosts,
            as_json=as_json,
            yes=yes,
            maintenance=_maintenance(maintenance, stay),
            allow_incompatible=allow_incompatible,
        )


def prepare(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    max_rate: MaxRateOption = None,
    max_rate_total: MaxRateTotalOption = None,
    no_peers: NoPeersOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a version to all hosts without putting it live; `activate` does that later."""
    check_version(version)
    with Meeting() as hosts:
        scope = _scope(config, app, environment, only, without, concurrency, hosts)
        from castoff.releaser.rates import limited

        _carry_out(
            "prepare",
            limited(scope, max_rate, max_rate_total, peers=not no_peers),
            version,
            hosts,
            as_json=as_json,
        )


def activate(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    yes: YesOption = False,
    maintenance: MaintenanceOption = False,
    stay: StayOption = False,
    allow_incompatible: AllowIncompatibleOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version live that `prepare` has brought to all hosts; nothing is fetched."""
    check_version(version)
    with Meeting() as hosts:
        _carry_out(
            "activate",
            _scope(config, app, environment, only, without, concurrency, hosts),
            version,
            hosts,
            as_json=as_json,
            yes=yes,
            maintenance=_maintenance(maintenance, stay),
            allow_incompatible=allow_incompatible,
        )


def rollback(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]",
            help="Where to go; default: the previous good release.",
            autocompletion=stored_versions,
        ),
    ] = None,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    yes: YesOption = False,
    to_backup: Annotated[
        list[str] | None,
        typer.Option(
            "--to-backup",
            metavar="ID",
            help="Restore a back-up, too; `latest`: the last of each back-up step made while that "
            "version was live. Says what would be lost, and asks.",
        ),
    ] = None,
    identity: IdentityOption = None,
    migrate_down: Annotated[
        bool,
        typer.Option(
            "--migrate-down",
            help="Take back the migrations that the version does not know, before hosts flip: "
            "after the back-up steps, with the code that knows them.",
        ),
    ] = False,
    allow_incompatible: AllowIncompatibleOption = False,
    maintenance: MaintenanceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go back to the environment's previous good release, or to any version.

    What is on the hosts is verified and not fetched again; back-up and migrate steps do not run.
    Refused where the version may not live with migrations that were run since; they are named.
    With --only or --except and no version: back to what the environment as a whole has.

    With --to-backup, back-ups are checked, the maintenance page goes on where --maintenance asks
    for it, each is restored into a copy that takes the data's place, and then hosts flip.
    """
    if version is not None:
        check_version(version)
    with Meeting() as hosts:
        scope = _scope(config, app, environment, only, without, concurrency, hosts)
        version = version or _previous(scope)
        if migrate_down and (to_backup or allow_incompatible or scope.partial):
            raise UsageError(
                "--migrate-down goes with none of --to-backup, --allow-incompatible, --only, "
                "--except",
                hint="It takes back what is in the way, for all hosts.",
            )
        restores = _restores(scope, version, to_backup, identity, yes=yes) if to_backup else ()
        _carry_out(
            "rollback",
            scope,
            version,
            hosts,
            as_json=as_json,
            yes=yes,
            maintenance=_maintenance(maintenance, stay=False),
            restores=restores,
            migrate_down=migrate_down,
            allow_incompatible=allow_incompatible,
        )


def _restores(
    scope: Scope, version: str, names: list[str], identity: Path | None, *, yes: bool
) -> tuple[Restoring, ...]:
    """Return the back-ups to restore, once somebody has seen what that loses and said yes."""
    from castoff.cli.consent import consent
    from castoff.releaser.backups.in_rollback import chosen
    from castoff.releaser.backups.lost import what_is_lost

    if scope.partial:
        raise UsageError(
            "--to-backup is about the data of all hosts", hint="Leave out --only and --except."
        )
    restores = chosen(scope, version, names, identity)
    for one in restores:
        for line in what_is_lost(scope, one.known, now=time.time()):
            typer.echo(line, err=True)
    consent(f"Restore that in {scope.environment_name}, and go back to {version}?", yes=yes)
    return restores


def _scope(
    config: ConfigOption,
    app: AppOption,
    environment: EnvironmentOption,
    only: OnlyOption,
    without: ExceptOption,
    concurrency: ConcurrencyOption,
    hosts: Meeting,
) -> Scope:
    from castoff.cli.scope import chosen_scope

    return chosen_scope(
        config, app, environment, only, without, writes=True, concurrency=concurrency, meet=hosts
    )


def _previous(scope: Scope) -> str:
    from castoff.releaser.record import on_record, previous_good

    version = on_record(scope) if scope.partial else previous_good(scope)
    if version is None:
        raise UnknownVersion(
            f"{scope.environment_name} has no previous good release to go back to",
            hint="Name a version: castoff rollback VERSION. `castoff versions` lists them.",
        )
    return version


def _maintenance(wanted: bool, stay: bool) -> Literal["", "on", "stay"]:
    if stay and not wanted:
        raise UsageError(
            "--stay-in-maintenance is about a page that is not on", hint="Add --maintenance."
        )
    if stay:
        return "stay"
    return "on" if wanted else ""


def _carry_out(
    kind: Kind,
    scope: Scope,
    version: str,
    hosts: Meeting,
    *,
    as_json: bool,
    yes: bool = False,
    maintenance: Literal["", "on", "stay"] = "",
    restores: tuple[Restoring, ...] = (),
    migrate_down: bool = False,
    allow_incompatible: bool = False,
) -> None:
    # Loaded beside what is going on with the hosts.
    from castoff.releaser.release import resolve, run

    job = replace(
        resolve(scope, kind, version),
        maintenance=maintenance,
        restores=restores,
        migrate_down=migrate_down,
        allow_incompatible=allow_incompatible,
    )

    def action(timeline: Timeline) -> str:
        _tell_partial(scope, kind, timeline)
        run(job, timeline, early=hosts.early)
        return _done(scope, kind, version, timeline)

    carry_out(
        scope,
        f"{kind} {version} to {scope.environment_name}",
        action,
        facts={"kind": kind, "version": version, "partial": scope.partial},
        as_json=as_json,
        yes=yes,
    )


def _tell_partial(scope: Scope, kind: Kind, timeline: Timeline) -> None:
    """Say what does not happen because some hosts were left out."""
    if not scope.partial:
        return
    from castoff.releaser.partial import homeless_steps

    timeline.watch.note(f"PARTIAL: {scope.partial}; the other hosts stay as they are")
    for step in homeless_steps(scope) if kind in ("release", "activate") else ():
        timeline.watch.note(f"{step} does not run: none of these hosts can lead it")


def _done(scope: Scope, kind: Kind, version: str, timeline: Timeline) -> str:
    """Return the last line for the person."""
    away = () if kind == "prepare" else timeline.quarantined
    taking = [host for host in scope.hosts if host.name not in away]
    share = "" if len(taking) == len(scope.hosts) else f"{len(taking)} of "
    where = f"{share}{counted(len(scope.hosts), 'host')} of {scope.environment_name}"
    if scope.partial:
        where += f" ({scope.partial})"
    if kind == "prepare":
        return (
            f"{version} is ready on {where}; put it live with: "
            f"castoff activate {version} --env {scope.environment_name}"
        )
    done = (
        f"back on {version} on {where}" if kind == "rollback" else f"{version} is live on {where}"
    )
    if not scope.partial:
        return done
    return (
        f"PARTIAL: {done}. {scope.environment_name} as a whole stays on record as it "
        "was; `castoff status` shows which hosts differ, until a release to all"
    )
