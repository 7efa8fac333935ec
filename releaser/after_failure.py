"""The `on_failure` steps, once a run has failed and its hosts are back."""

from __future__ import annotations

import itertools

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.run import run_step
from castoff.releaser.steps import steps_on
from castoff.releaser.timeline import Timeline


def run_failure_steps(job: Job, fleet: Fleet, timeline: Timeline) -> None:
    """Run them on all hosts at once, each in what its host serves.

    What fails is noted, and keeps none of the others from its chance. A step on the controller
    runs for a host that cannot be reached too.
    """
    hosts = [host for host in job.hosts if steps_on(job, "on_failure", host)]
    if not hosts:
        return
    # They have time of their own: that the run's is up may be the very failure.
    again = job.with_time(job.environment.limits.release)
    fleet.opening = fleet.opening.for_going_back()
    done = on_each(hosts, lambda host: _run_on(again, fleet, timeline, host))
    for failure in itertools.chain(*done.values.values(), done.failures):
        timeline.watch.note(f"{failure.message} (a step of the moment on_failure)")


def _run_on(job: Job, fleet: Fleet, timeline: Timeline, host: ResolvedHost) -> list[HostError]:
    """Run a host's steps; return what failed."""
    failures: list[HostError] = []
    steps = steps_on(job, "on_failure", host)

    def run(where: str, version: str) -> None:
        for step in steps:
            if step.run_on != where:
                continue
            try:
                run_step(job, fleet, timeline, step, host, version)
            except HostError as failure:
                failures.append(failure)

    run("controller", job.version)
    if all(step.run_on == "controller" for step in steps):
        return failures
    # Its session may be in the middle of something.
    patience = {"busy": job.environment.limits.reconnect, "lost": 0.0}
    try:
        served = fleet.open_patiently(host, patience=patience).state.current
    except HostError as failure:
        return [*failures, failure]
    if served is None:
        missing = HostError(host.name, "it serves nothing to run in", code="missing")
        return [*failures, missing]
    run("host", served)
    return failures
