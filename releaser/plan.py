"""What a release would do, host by host: a value to print, compare and test."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment
from castoff.releaser.colors import paired
from castoff.releaser.errors import PreflightFailed
from castoff.releaser.fleet import Fleet, on_each
from castoff.releaser.job import Job
from castoff.releaser.replies import Opened
from castoff.releaser.steps import leader, steps_at, steps_on

_EACH: tuple[Moment, ...] = ("prepare", "before_activate", "activate", "after_activate")
_EACH_PAIRED: tuple[Moment, ...] = ("prepare", "start_idle", "check_idle", *_EACH[1:])
_ONCE: tuple[Moment, ...] = ("backup", "once")


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host's part.

    Attributes:
        current: What it serves now.
        fetch: Bytes it would have to fetch; 0 where the release lies there already.
        steps: Moment and name of the steps that it would run, in their order.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    current: str | None
    fetch: int
    free_bytes: int
    steps: tuple[tuple[Moment, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole: `once` holds moment, step and leader of each step that runs once."""

    app: str
    environment: str
    kind: str
    version: str
    live: str | None
    commit: str
    hosts: tuple[HostPlan, ...]
    once: tuple[tuple[Moment, str, str], ...]


def make_plan(job: Job, fleet: Fleet, *, live: str | None) -> Plan:
    """Look at every host, changing nothing, and say what the job would do there.

    Args:
        job: The job; it is not begun.
        fleet: Opened by this, without locks.
        live: The version that the environment's channel calls current.

    Raises:
        PreflightFailed: Some hosts cannot be reached, or cannot take the release.
    """
    looked = on_each(job.hosts, fleet.open)
    if looked.failures:
        raise PreflightFailed(
            "the plan cannot be made: ask again when all hosts answer", looked.failures
        )
    once = [
        (moment, step.name, chosen.name)
        for moment in _ONCE
        for step in steps_at(job, moment)
        if (chosen := leader(step, job.hosts)) is not None
    ]
    return Plan(
        app=job.app,
        environment=job.environment_name,
        kind=job.kind,
        version=job.version,
        live=live,
        commit=job.manifest.source.commit,
        hosts=tuple(_host_plan(job, host, looked.values[host.name]) for host in job.hosts),
        # The release of what is live already passes them over.
        once=() if job.kind in ("rollback", "prepare") or live == job.version else tuple(once),
    )


def _host_plan(job: Job, host: ResolvedHost, opened: Opened) -> HostPlan:
    moments = _EACH_PAIRED if paired(job.environment) else _EACH
    return HostPlan(
        name=host.name,
        address=host.address,
        roles=host.roles,
        current=opened.state.current,
        fetch=0 if job.version in opened.state.releases else job.manifest.archive.size,
        free_bytes=opened.facts.free_bytes,
        steps=tuple(
            (moment, step.name) for moment in moments for step in steps_on(job, moment, host)
        ),
    )
