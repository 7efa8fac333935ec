"""Which secrets a run needs, and what for; no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.config.model import ConfigFile, Moment, SecretFile, Step
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


def needed(job: Job) -> set[str]:
    """Return the names of the secrets that a run may come to need.

    Those of notifications are none of them: one that cannot be sent keeps no run.
    """
    wanted = needed_by(job.scope, job.kind)
    return wanted.union(*(one.step.secrets for one in job.restores))


def needed_by(scope: Scope, kind: Kind) -> set[str]:
    """Return the same for runs of a kind, whatever their version."""
    return {name for name, _ in (*_in_steps(scope, _NEVER[kind]), *_in_files(scope))}


def users(scope: Scope) -> dict[str, list[str]]:
    """Return what uses each secret of an environment, in words; none where nothing does."""
    found: dict[str, list[str]] = {name: [] for name in scope.environment.secrets}
    told = [
        (name, f"notification {one.name}")
        for one in scope.environment.notify
        for _, name in secrets_of(one)
    ]
    for name, user in (*_in_steps(scope, frozenset()), *_in_files(scope), *told):
        if user not in found[name]:
            found[name].append(user)
    return found


def _in_steps(scope: Scope, never: frozenset[Moment]) -> Iterator[tuple[str, str]]:
    """Yield the name of a secret and which step uses it, for each use."""
    for step in scope.environment.steps:
        if step.moment not in never and _takes_place(step, scope):
            yield from ((name, f"step {step.name}") for name in step.secrets)


def _in_files(scope: Scope) -> Iterator[tuple[str, str]]:
    """Yield the name of a secret and which file holds it, for each file of it."""
    files: tuple[ConfigFile | SecretFile, ...] = (
        *scope.environment.config,
        *scope.environment.secret_files,
    )
    for one in files:
        if _takes_place(one, scope):
            yield from ((name, f"file {one.path}") for name in one.secrets)


def _takes_place(one: Step | ConfigFile | SecretFile, scope: Scope) -> bool:
    ours = not one.apps or scope.app in one.apps
    return ours and any(runs_on(one, host) for host in scope.hosts)
