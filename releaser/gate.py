"""The gate between two groups of hosts: soak, check again, a command, a person's yes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment
from castoff.releaser.controller_step import OutOfTime, how_it_ended, run_command
from castoff.releaser.errors import BatchFailed
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.run import run_step
from castoff.releaser.steps import steps_on
from castoff.releaser.timeline import Timeline

_LAST_LINES = 5


def pass_gate(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    ready: Sequence[ResolvedHost],
    checks: Moment = "after_activate",
) -> None:
    """Return if the release may go on to the next group.

    Args:
        job: The job.
        fleet: Whose sessions are used.
        timeline: Where the checks are recorded.
        ready: The hosts that have flipped, or whose idle instances are healthy.
        checks: The moment of the steps that run there once more.

    Raises:
        BatchFailed: One of the hosts is not healthy any more, the command failed, or a person
            said no.
    """
    strategy = job.environment.strategy
    if strategy.soak:
        timeline.watch.note(f"soaking for {strategy.soak:g} s")
        time.sleep(strategy.soak)

    def check_again(host: ResolvedHost) -> None:
        for step in steps_on(job, checks, host):
            run_step(job, fleet, timeline, step, host, job.version)

    failures = on_each(ready, check_again).failures
    if failures:
        raise BatchFailed(f"{job.version} did not stay healthy", failures)
    if strategy.command is not None:
        _run(strategy.command, job)
    count = f"{len(ready)} of {len(job.hosts)} hosts"
    question = f"{job.version} runs on {count}. Go on?"
    if checks == "check_idle":
        question = f"{job.version} runs beside what serves on {count}. Let it serve?"
    if strategy.ask and not timeline.watch.ask(question):
        raise BatchFailed(f"{job.version} was stopped at the gate by a no", [])


def _run(command: str, job: Job) -> None:
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        status = run_command(
            command,
            folder=job.scope.base,
            variables={
                "CASTOFF_APP": job.app,
                "CASTOFF_ENVIRONMENT": job.environment_name,
                "CASTOFF_VERSION": job.version,
            },
            limit=job.within("the gate", job.environment.limits.release),
            say=last.append,
        )
    except OutOfTime as error:
        raise BatchFailed("the gate's command did not end in time", []) from error
    if status != 0:
        said = " / ".join(last)
        raise BatchFailed(f"the gate's command {how_it_ended(status)}: {said}", [])
