"""Activate: flip one link on every host at once, restart, and check that all are healthy."""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet, on_each
from castoff.releaser.job import Job
from castoff.releaser.replies import Flipped, Nothing
from castoff.releaser.run import run_step
from castoff.releaser.session import Asked
from castoff.releaser.steps import steps_on
from castoff.releaser.timeline import Timeline

FLIP_LIMIT = 15.0


def activate(job: Job, fleet: Fleet, timeline: Timeline) -> list[HostError]:
    """Flip all hosts, then restart and check each; return the failures, none if all are healthy.

    Nothing else happens between the first host's flip and the last one's: restarts begin when
    all have flipped, so that a busy restart on one host does not hold up another's flip.
    """
    timeline.watch.phase("activate")

    def flip_one(host: ResolvedHost) -> None:
        flip(job, fleet, timeline, host, job.version)
        timeline.flipped(host.name)

    failures = on_each(job.hosts, flip_one).failures
    if failures:
        return failures
    timeline.watch.phase("restart")

    def restart_one(host: ResolvedHost) -> None:
        restart_and_check(job, fleet, timeline, host, job.version)
        timeline.healthy(host.name)

    return on_each(job.hosts, restart_one).failures


def flip(
    job: Job, fleet: Fleet, timeline: Timeline, host: ResolvedHost, version: str | None
) -> None:
    """Point the host's `current` at a version, or take it away if `version` is None.

    Raises:
        HostError: The release is not complete there, or the answer did not come.
    """
    with timeline.step(host.name, "flip" if version == job.version else "flip back"):
        fleet.sessions[host.name].ask(
            Flipped, "activate", Asked(timeout=FLIP_LIMIT), version=version, release=job.release
        )


def restart_and_check(
    job: Job, fleet: Fleet, timeline: Timeline, host: ResolvedHost, version: str
) -> None:
    """Run the host's `activate` and then its `after_activate` steps in the given version.

    Raises:
        HostError: One of them failed; those after it were not run.
    """
    for moment in ("activate", "after_activate"):
        for step in steps_on(job, moment, host):
            run_step(job, fleet, timeline, step, host, version)


def confirm(job: Job, fleet: Fleet, host: ResolvedHost, version: str) -> None:
    """Tell a host that the version it serves is good, so that it is the one to come back to.

    Raises:
        HostError: The host does not serve that version, or does not answer.
    """
    fleet.sessions[host.name].ask(
        Nothing, "confirm", Asked(timeout=FLIP_LIMIT), version=version, release=job.release
    )
