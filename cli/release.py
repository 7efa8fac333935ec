"""`castoff release`, `prepare`, `activate` and `rollback`: one machine, four ways into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from castoff.cli.carry_out import carry_out
from castoff.cli.options import (
    AppOption,
    ConfigOption,
    EnvironmentOption,
    ExceptOption,
    JsonOption,
    MaintenanceOption,
    OnlyOption,
    StayOption,
    VersionArgument,
    YesOption,
)
from castoff.store.errors import UnknownVersion, UsageError
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.releaser.job import Kind, Scope
    from castoff.releaser.timeline import Timeline


def release(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    yes: YesOption = False,
    maintenance: MaintenanceOption = False,
    stay: StayOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version live: prepare on all hosts, then activate on all at once.

    If anything fails before the barrier, nothing that serves has changed; if a host fails after
    it, every host goes back to what it served before.
    """
    check_version(version)
    _carry_out(
        "release",
        _scope(config, app, environment, only, without),
        version,
        as_json=as_json,
        yes=yes,
        maintenance=_maintenance(maintenance, stay),
    )


def prepare(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a version to all hosts without putting it live; `activate` does that later."""
    check_version(version)
    _carry_out("prepare", _scope(config, app, environment, only, without), version, as_json=as_json)


def activate(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    yes: YesOption = False,
    maintenance: MaintenanceOption = False,
    stay: StayOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version live that `prepare` has brought to all hosts; nothing is fetched."""
    check_version(version)
    _carry_out(
        "activate",
        _scope(config, app, environment, only, without),
        version,
        as_json=as_json,
        yes=yes,
        maintenance=_maintenance(maintenance, stay),
    )


def rollback(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]", help="Where to go; default: the previous good release."
        ),
    ] = None,
    environment: EnvironmentOption = None,
    only: OnlyOption = None,
    without: ExceptOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go back to the environment's previous good release, or to any version.

    What is on the hosts is verified and not fetched again; back-up and migrate steps do not run.
    With --only or --except and no version: back to what the environment as a whole has.
    """
    if version is not None:
        check_version(version)
    scope = _scope(config, app, environment, only, without)
    _carry_out("rollback", scope, version or _previous(scope), as_json=as_json, yes=yes)


def _scope(
    config: ConfigOption,
    app: AppOption,
    environment: EnvironmentOption,
    only: OnlyOption,
    without: ExceptOption,
) -> Scope:
    from castoff.cli.scope import chosen_scope

    return chosen_scope(config, app, environment, only, without, writes=True)


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
    *,
    as_json: bool,
    yes: bool = False,
    maintenance: Literal["", "on", "stay"] = "",
) -> None:
    from castoff.releaser.partial import homeless_steps
    from castoff.releaser.release import resolve, run

    job = replace(resolve(scope, kind, version), maintenance=maintenance)

    def done(timeline: Timeline) -> str:
        away = () if kind == "prepare" else timeline.quarantined
        taking = [host for host in scope.hosts if host.name not in away]
        of = "" if len(taking) == len(scope.hosts) else f" of {len(scope.hosts)}"
        where = f"{len(taking)}{of} host(s) of {scope.environment_name}"
        if scope.partial:
            where += f" ({scope.partial})"
        if kind == "prepare":
            return (
                f"{version} is ready on {where}; put it live with: "
                f"castoff activate {version} --env {scope.environment_name}"
            )
        return (
            f"back on {version} on {where}"
            if kind == "rollback"
            else f"{version} is live on {where}"
        )

    def action(timeline: Timeline) -> str:
        if scope.partial:
            timeline.watch.note(f"PARTIAL: {scope.partial}; the other hosts stay as they are")
            for step in homeless_steps(scope) if kind in ("release", "activate") else ():
                timeline.watch.note(f"{step} does not run: none of these hosts can lead it")
        run(job, timeline)
        if not scope.partial or kind == "prepare":
            return done(timeline)
        return (
            f"PARTIAL: {done(timeline)}. {scope.environment_name} as a whole stays on record as it "
            "was; `castoff status` shows which hosts differ, until a release to all"
        )

    carry_out(
        scope,
        f"{kind} {version} to {scope.environment_name}",
        action,
        facts={"kind": kind, "version": version, "partial": scope.partial},
        as_json=as_json,
        yes=yes,
    )
