"""Which of an environment's steps run when, where, and with which variables; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Protocol

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment, Step
from castoff.releaser.job import Job, Scope


def steps_at(job: Job, moment: Moment) -> tuple[Step, ...]:
    """Return the steps of this app at one moment, in the order of the file."""
    return tuple(
        step
        for step in job.environment.steps
        if step.moment == moment and (not step.apps or job.app in step.apps)
    )


def steps_on(job: Job, moment: Moment, host: ResolvedHost) -> tuple[Step, ...]:
    """Return the steps at one moment that run on this host, whatever others do meanwhile."""
    return tuple(
        step
        for step in steps_at(job, moment)
        if runs_on(step, host)
        and not waits_for_all(step)
        and (not step.once or leader(step, job.hosts) == host)
    )


def last_steps(job: Job) -> tuple[Step, ...]:
    """Return the steps that wait until all hosts are through with theirs, in the file's order."""
    return tuple(step for step in steps_at(job, "after_activate") if waits_for_all(step))


def waits_for_all(step: Step) -> bool:
    """Whether a step runs once when all hosts have activated, not when its leader has.

    What it does for all, as clearing a cache that they share, older code elsewhere would undo.
    """
    return step.once and step.moment == "after_activate"


class ForHosts(Protocol):
    """What is for some hosts of an environment: a step, a configuration file."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Hosts with any of these; none for all."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Globs of names of hosts; none for all."""


def runs_on(step: ForHosts, host: ResolvedHost) -> bool:
    """Whether the roles and host names of a step, or of a file, take a host in."""
    in_role = not step.roles or bool(set(step.roles) & set(host.roles))
    return in_role and (
        not step.hosts or any(fnmatchcase(host.name, pattern) for pattern in step.hosts)
    )


def leader(step: Step, hosts: Iterable[ResolvedHost]) -> ResolvedHost | None:
    """Return the one host that runs a once-only step: the first in the file that it is for."""
    return next((host for host in hosts if runs_on(step, host)), None)


def variables(about: Job | Scope, host: ResolvedHost, version: str) -> dict[str, str]:
    """Return the environment variables that every command has on a host.

    The agent adds those that only the host knows: CASTOFF_ROOT, CASTOFF_RELEASE, CASTOFF_SHARED.
    """
    return {
        "CASTOFF_APP": about.app,
        "CASTOFF_ENVIRONMENT": about.environment_name,
        "CASTOFF_VERSION": version,
        "CASTOFF_HOST": host.name,
        "CASTOFF_ROLES": " ".join(host.roles),
        **host.env,
    }


def with_umask(command: str, host: ResolvedHost) -> str:
    """Return a shell command that creates files as the host's `umask` says."""
    return command if host.umask is None else f"umask {host.umask}\n{command}"
