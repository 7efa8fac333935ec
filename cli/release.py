"""`castoff release`, `prepare`, `activate` and `rollback`: one machine, four ways into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from castoff.cli.carry_out import carry_out
from castoff.cli.options import (
    AppOption,
    ConfigOption,
    EnvironmentOption,
    JsonOption,
    VersionArgument,
    YesOption,
)
from castoff.store.errors import UnknownVersion
from castoff.store.version import check_version

if TYPE_CHECKING:
    from castoff.releaser.job import Kind, Scope
    from castoff.releaser.timeline import Timeline


def release(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version live: prepare on all hosts, then activate on all at once.

    If anything fails before the barrier, nothing that serves has changed; if a host fails after
    it, every host goes back to what it served before.
    """
    check_version(version)
    _carry_out("release", _scope(config, app, environment), version, as_json=as_json, yes=yes)


def prepare(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring a version to all hosts without putting it live; `activate` does that later."""
    check_version(version)
    _carry_out("prepare", _scope(config, app, environment), version, as_json=as_json)


def activate(
    version: VersionArgument,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a version live that `prepare` has brought to all hosts; nothing is fetched."""
    check_version(version)
    _carry_out("activate", _scope(config, app, environment), version, as_json=as_json, yes=yes)


def rollback(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]", help="Where to go; default: the previous good release."
        ),
    ] = None,
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go back to the environment's previous good release, or to any version.

    What is on the hosts is verified and not fetched again; back-up and migrate steps do not run.
    """
    if version is not None:
        check_version(version)
    scope = _scope(config, app, environment)
    _carry_out("rollback", scope, version or _previous(scope), as_json=as_json, yes=yes)


def _scope(config: ConfigOption, app: AppOption, environment: EnvironmentOption) -> Scope:
    from castoff.cli.project import open_project
    from castoff.cli.scope import open_scope

    return open_scope(open_project(config, app), environment, writes=True)


def _previous(scope: Scope) -> str:
    from castoff.releaser.record import previous_good

    version = previous_good(scope)
    if version is None:
        raise UnknownVersion(
            f"{scope.environment_name} has no previous good release to go back to",
            hint="Name a version: castoff rollback VERSION. `castoff versions` lists them.",
        )
    return version


def _carry_out(kind: Kind, scope: Scope, version: str, *, as_json: bool, yes: bool = False) -> None:
    from castoff.releaser.release import resolve, run

    job = resolve(scope, kind, version)
    where = f"{len(scope.hosts)} host(s) of {scope.environment_name}"
    done = {
        "release": f"{version} is live on {where}",
        "activate": f"{version} is live on {where}",
        "rollback": f"back on {version} on {where}",
        "prepare": f"{version} is ready on {where}; put it live with: "
        f"castoff activate {version} --env {scope.environment_name}",
    }

    def action(timeline: Timeline) -> str:
        run(job, timeline)
        return done[kind]

    carry_out(
        scope,
        f"{kind} {version} to {scope.environment_name}",
        action,
        facts={"kind": kind, "version": version},
        as_json=as_json,
        yes=yes,
    )
