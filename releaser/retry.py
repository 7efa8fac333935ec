"""Trying again what failed on one host: how often, for which failures, and with which pauses."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.timeline import Timeline

T = TypeVar("T")

# Seconds that no pause is longer than.
MOST_PAUSE = 60.0

# What is said of a host whose answer did not come: what it has done is not known.
STOPPED_ANSWERING = frozenset({"lost", "timeout", "unreachable"})
# What the agent answers when a step did not succeed, rather than could not be tried.
STEP_FAILURES = frozenset({"step-failed", "step-timeout", "unhealthy"})


@dataclass(frozen=True, slots=True)
class Retries:
    """What is tried again, and how.

    Attributes:
        times: How often at most; None until the release's time is up.
        wait: Seconds before the first of these tries; each further pause is twice as long.
        codes: The failures that are worth it, by their error codes.
        reconnects: Whether a host that was lost has to be connected to anew.
    """

    times: int | None
    wait: float
    codes: frozenset[str]
    reconnects: bool = True

    def pause(self, tried: int) -> float:
        """Return how long to wait after so many tries, seconds.

        Up to half of it is left to chance, so that hosts that failed together do not all come
        back at the same moment.
        """
        whole = min(self.wait * 2.0 ** min(tried - 1, 16), MOST_PAUSE)
        return whole * random.uniform(0.5, 1)  # noqa: S311 (no secret)


def of_connecting(job: Job) -> Retries:
    """Return what the environment says of hosts that do not answer."""
    settings = job.environment.retries
    if job.environment.stragglers.policy == "wait":
        return Retries(None, settings.wait, STOPPED_ANSWERING | {"busy"}, reconnects=False)
    return Retries(settings.connect, settings.wait, STOPPED_ANSWERING, reconnects=False)


def of_preparing(job: Job) -> Retries:
    """Return what the environment says of hosts that are lost, or cannot fetch the archive."""
    settings = job.environment.retries
    times = None if job.environment.stragglers.policy == "wait" else settings.prepare
    return Retries(times, settings.wait, STOPPED_ANSWERING | {"busy", "fetch"})


def of_step(step: Step) -> Retries:
    """Return what a step says of itself."""
    return Retries(step.retries, step.retry_wait, STEP_FAILURES | STOPPED_ANSWERING | {"busy"})


def retrying(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    host: ResolvedHost,
    name: str,
    *,
    retries: Retries,
    action: Callable[[], T],
    in_turn: bool = False,
) -> T:
    """Do `action` as a step of the timeline, again where that is worth it; return its result.

    Each try has a span of its own.

    Args:
        job: The job.
        fleet: Its hosts.
        timeline: Where the spans go.
        host: The host.
        name: The step's.
        retries: How often, and for what.
        action: What is done.
        in_turn: Whether each try waits for the host's turn to be connected to, before its span.

    Raises:
        HostError: The last failure; also where the pause would outlast the host's time, or the
            run was stopped meanwhile.
    """
    stopped = fleet.stopped
    lost = False
    for tried in count(1):
        try:
            turn = fleet.turns.taken(host.name) if in_turn else nullcontext()
            with turn, timeline.step(host.name, name):
                if lost:
                    # What was begun there holds the host's lock until it has ended.
                    again = job.environment.limits.reconnect
                    fleet.open_patiently(host, patience={"busy": job.within(host.name, again)})
                    lost = False
                return action()
        except HostError as failure:
            if failure.code in ("timeout", "step-timeout") and job.left <= 0:
                # The step's own limit is not the one to raise.
                job.within(host.name, job.left)
            pause = retries.pause(tried)
            if (
                failure.code not in retries.codes
                or (retries.times is not None and tried > retries.times)
                or pause >= job.left
                or stopped.is_set()
            ):
                raise
            lost = lost or (retries.reconnects and failure.code in STOPPED_ANSWERING)
            timeline.retried(host.name, name)
            most = "" if retries.times is None else f" of {retries.times + 1}"
            timeline.watch.note(
                f"{failure.message.splitlines()[0]}: {name} is tried again in {pause:.1f} s "
                f"(try {tried + 1}{most})"
            )
            if stopped.wait(pause):
                raise
    raise AssertionError("counting has no end")
