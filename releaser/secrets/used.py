"""Which secrets a run needs, and what for; no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.config.model import Moment, Secret, Step
from castoff.config.notify_rules import secrets_of
from castoff.releaser.job import Job, Kind, Scope
from castoff.releaser.steps import runs_on

# The moments that a run of a kind never comes to.
_NEVER: dict[Kind, frozenset[Moment]] = {
    "release": frozenset(),
    "activate": frozenset(),
    "rollback": frozenset({"backup", "once"}),
    "converge": frozenset({"backup", "once"}),
    "prepare": frozenset(
        {
            "backup",
            "once",
            "start_idle",
            "check_idle",
            "before_activate",
            "activate",
            "after_activate",
            "on_rollback",
        }
    ),
}


def needed(job: Job) -> dict[str, Secret]:
    """Return where the secrets are that a run may come to need, by their names."""
    wanted = {name for name, _ in _uses(job.scope, _NEVER[job.kind])}
    wanted |= {name for one in job.restores for name in one.step.secrets}
    there = job.environment.secrets
    return {name: secret for name, secret in there.items() if name in wanted}


def users(scope: Scope) -> dict[str, list[str]]:
    """Return what uses each secret of an environment, in words; none where nothing does."""
    found: dict[str, list[str]] = {name: [] for name in scope.environment.secrets}
    for name, user in _uses(scope, frozenset()):
        if user not in found[name]:
            found[name].append(user)
    return found


def _uses(scope: Scope, never: frozenset[Moment]) -> Iterator[tuple[str, str]]:
    """Yield the name of a secret and what uses it, for each use."""
    for step in scope.environment.steps:
        if step.moment not in never and _takes_place(step, scope):
            yield from ((name, f"step {step.name}") for name in step.secrets)
    for one in scope.environment.notify:
        yield from ((name, f"notification {one.name}") for _, name in secrets_of(one))


def _takes_place(step: Step, scope: Scope) -> bool:
    ours = not step.apps or scope.app in step.apps
    return ours and any(runs_on(step, host) for host in scope.hosts)
