"""The steps that run once for all hosts, on their leader: back-up, then migrate."""

from __future__ import annotations

from typing import Literal

from castoff.releaser.errors import HostError, NotActivated
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.migrations.ledger import was_reversed
from castoff.releaser.migrations.up import migrate
from castoff.releaser.run import run_step
from castoff.releaser.run_log import RunLog
from castoff.releaser.steps import leader, steps_at
from castoff.releaser.timeline import Timeline


def run_once_steps(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    log: RunLog,
    moment: Literal["backup", "once"],
    *,
    live: bool,
) -> None:
    """Run the steps of one of the two moments, each on its leader, one by one.

    A step that an interrupted run has brought to its end is not run again when that is resumed.
    Of a version that is live nothing is run, but for migrations that were taken back since.

    Raises:
        NotActivated: A step failed; no host was flipped, what the step did stays done.
        StoreError: The store cannot be written, or another controller has taken over.
    """
    for step in steps_at(job, moment):
        host = leader(step, job.hosts)
        if host is None or step.name in log.done:
            continue
        if live and (step.migrate is None or not was_reversed(job.scope, job.version, step)):
            continue
        if moment == "once":
            timeline.irreversible()
        try:
            if step.migrate is not None:
                migrate(job, fleet, timeline, step, host, token=log.token)
            else:
                run_step(job, fleet, timeline, step, host, job.version)
        except HostError as failure:
            raise NotActivated(
                f"nothing was activated: step {step.name!r} failed on its leader",
                [failure],
                hint=failure.hint
                or "See its output above, mend it, and release the same version again.",
            ) from failure
        log.finish_step(step.name)
