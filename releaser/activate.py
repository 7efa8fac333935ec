"""Activate: flip one link on every host at once, restart, and check that all are healthy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.replies import Flipped, Nothing
from castoff.releaser.run import run_step
from castoff.releaser.session import Asked
from castoff.releaser.steps import last_steps, leader, steps_on
from castoff.releaser.timeline import Timeline

BEFORE: tuple[Moment, ...] = ("before_activate",)
AFTER: tuple[Moment, ...] = ("activate", "after_activate")
BACK: tuple[Moment, ...] = ("on_rollback", *AFTER)


def flip_all(
    job: Job, fleet: Fleet, timeline: Timeline, hosts: Sequence[ResolvedHost]
) -> list[HostError]:
    """Run the `before_activate` steps of all hosts, then flip all; return the failures.

    Nothing else happens between the first host's flip and the last one's: what comes before is
    over on all when the first flips, and restarts begin when all have flipped.
    """
    failures = on_each(
        hosts, lambda host: run_steps(job, fleet, timeline, host, job.version, BEFORE)
    ).failures
    if failures:
        return failures

    def flip_one(host: ResolvedHost) -> None:
        config = fleet.configs.get(host.name)
        flip(job, fleet, timeline, host, job.version, config=config)
        timeline.flipped(host.name)

    return on_each(hosts, flip_one).failures


def check_all(
    job: Job, fleet: Fleet, timeline: Timeline, hosts: Sequence[ResolvedHost]
) -> list[HostError]:
    """Restart and check all hosts at once; return the failures, none if all are healthy."""
    moments = BACK if job.kind == "rollback" else AFTER

    def check_one(host: ResolvedHost) -> None:
        run_steps(job, fleet, timeline, host, job.version, moments)
        timeline.healthy(host.name)

    return on_each(hosts, check_one).failures


def run_last_steps(
    job: Job, fleet: Fleet, timeline: Timeline, serves: Mapping[str, str]
) -> list[HostError]:
    """Run the steps that wait for all hosts, one by one; return the failure, none if all went well.

    Args:
        job: The job.
        fleet: Whose sessions are used.
        timeline: Where the steps are recorded.
        serves: The version that each host serves on which one may run, by the host's name.
    """
    there = [host for host in job.hosts if host.name in serves]
    for step in last_steps(job):
        host = leader(step, there)
        if host is None:
            continue
        try:
            run_step(job, fleet, timeline, step, host, serves[host.name])
        except HostError as failure:
            return [failure]
    return []


def flip(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    host: ResolvedHost,
    version: str | None,
    *,
    config: str | None = None,
) -> None:
    """Point the host's `current` at a version, or take it away if `version` is None.

    Where the host has two instances, the one that steps are about is the one that serves then.
    `config` names the set of rendered files that comes into use; going back, the host itself knows
    which that is.

    Raises:
        HostError: The release is not complete there, or the answer did not come.
    """
    colors = fleet.colors.get(host.name)
    color = None if colors is None else colors.own
    with timeline.step(host.name, "flip" if version == job.version else "flip back"):
        flipped = fleet.sessions[host.name].ask(
            Flipped,
            "activate",
            Asked(timeout=job.environment.limits.answer),
            version=version,
            release=job.release,
            color=None if version is None else color,
            config=config,
        )
    for note in flipped.notes:
        timeline.watch.note(f"{host.name}: {note}")
    if colors is not None:
        fleet.colors[host.name] = replace(colors, live=color)


def run_steps(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    host: ResolvedHost,
    version: str,
    moments: Sequence[Moment],
) -> None:
    """Run a host's steps of some moments, in their order, in the given version.

    Raises:
        HostError: One of them failed; those after it were not run.
    """
    for moment in moments:
        for step in steps_on(job, moment, host):
            run_step(job, fleet, timeline, step, host, version)


def confirm(job: Job, fleet: Fleet, host: ResolvedHost, version: str) -> None:
    """Tell a host that the version it serves is good, so that it is the one to come back to.

    Raises:
        HostError: The host does not serve that version, or does not answer.
    """
    fleet.sessions[host.name].ask(
        Nothing,
        "confirm",
        Asked(timeout=job.environment.limits.answer),
        version=version,
        release=job.release,
    )
