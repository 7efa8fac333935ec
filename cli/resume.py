"""`castoff resume` and `castoff abort`: what to do after a controller died."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    from castoff.releaser.job import Scope
    from castoff.releaser.timeline import Timeline


def resume(
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Bring a run to its end whose controller died; works from any machine.

    Once-only steps that had ended are not run again.
    """
    from castoff.releaser import resume as resuming

    scope = _scope(config, app, environment, concurrency)
    left = resuming.unfinished(scope)

    def action(timeline: Timeline) -> str:
        resuming.resume(scope, timeline)
        return f"the interrupted {left.kind} of {left.version} has come to its end"

    facts: dict[str, object] = {"kind": left.kind, "version": left.version}
    title = f"resume {left.kind} {left.version}"
    carry_out(scope, title, action, facts=facts, as_json=as_json, yes=yes)


def abort(
    environment: EnvironmentOption = None,
    app: AppOption = None,
    config: ConfigOption = None,
    concurrency: ConcurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a run up whose controller died: hosts that flipped go back to what they served."""
    from castoff.releaser import resume as resuming

    scope = _scope(config, app, environment, concurrency)
    left = resuming.unfinished(scope)

    def action(timeline: Timeline) -> str:
        resuming.abort(scope, timeline)
        return f"the interrupted {left.kind} of {left.version} was given up"

    facts: dict[str, object] = {"kind": left.kind, "version": left.version}
    carry_out(scope, f"abort {left.kind} {left.version}", action, facts=facts, as_json=as_json)


def _scope(
    config: ConfigOption,
    app: AppOption,
    environment: EnvironmentOption,
    concurrency: ConcurrencyOption,
) -> Scope:
    from castoff.cli.project import open_project
    from castoff.cli.scope import open_scope

    return open_scope(open_project(config, app), environment, writes=True, concurrency=concurrency)
