"""The steps that run once for all hosts, on their leader: back-up, then migrate."""

from __future__ import annotations

from castoff.releaser.errors import HostError, NotActivated
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.run import run_step
from castoff.releaser.steps import leader, steps_at
from castoff.releaser.timeline import Timeline


def run_once_steps(job: Job, fleet: Fleet, timeline: Timeline) -> None:
    """Run the back-up steps and then the once-only steps, each on its leader, one by one.

    Raises:
        NotActivated: A step failed; no host was flipped, what the step did stays done.
    """
    for moment in ("backup", "once"):
        steps = steps_at(job, moment)
        if steps:
            timeline.watch.phase("back-up" if moment == "backup" else "migrate")
        for step in steps:
            host = leader(step, job.hosts)
            if host is None:
                continue
            if moment == "once":
                timeline.irreversible()
            try:
                run_step(job, fleet, timeline, step, host, job.version)
            except HostError as failure:
                raise NotActivated(
                    f"nothing was activated: step {step.name!r} failed on its leader",
                    [failure],
                    hint=failure.hint
                    or "See its output above, mend it, and release the same version again.",
                ) from failure
