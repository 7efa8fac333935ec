"""Compensation: after a failure past the barrier, every host returns to what *it* called good."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment
from castoff.releaser.activate import (
    AFTER,
    BACK,
    BEFORE,
    confirm,
    flip,
    run_last_steps,
    run_steps,
)
from castoff.releaser.blue_green import bring_up
from castoff.releaser.colors import Colors, paired
from castoff.releaser.errors import (
    FleetError,
    HostError,
    Mixed,
    RolledBack,
    TakenOver,
    hints_of,
)
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.maintenance import hide
from castoff.releaser.on_each import on_each
from castoff.releaser.steps import last_steps, steps_on
from castoff.releaser.timeline import Timeline

_AGAIN = "Mend the cause above, then release again. Migrations that ran stay in place."
# All that may still run on a host whose controller has died.
_MOMENTS: tuple[Moment, ...] = ("start_idle", "check_idle", *BEFORE, *BACK)


@dataclass(frozen=True, slots=True)
class _Back:
    """A host that is back.

    Attributes:
        serves: What it serves; None where that is nothing, or is not known.
        through: Whether it had to do something for that, and is through its steps.
    """

    serves: str | None = None
    through: bool = False


def go_back(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    failures: list[HostError],
    reason: str,
    touched: Collection[str],
    is_taken_over: Callable[[], bool],
) -> FleetError:
    """Bring all hosts back to their last good version; return the error that tells how it went.

    Hosts whose link never moved are left as they are, unless they are among those `touched` by a
    step past the barrier: those run their restart and checks again, which also puts them back to
    their load balancer. One that was not touched may be out of reach, unless the run's maintenance
    page is on there. Sessions are opened anew: after a failure or an interrupt the old ones
    may still be in the middle of something. Hosts that have seen a greater token are left to the
    later run, if `is_taken_over` says that there is one.
    """
    # Going back has time of its own: that the release's is up may be the very failure.
    again = job.with_time(job.environment.limits.release)
    fleet.opening = fleet.opening.for_going_back()

    def end_one(host: ResolvedHost, one: _Back) -> None:
        if one.through and one.serves is not None:
            confirm(again, fleet, host, one.serves)
        if job.maintenance == "on" and host.name in fleet.sessions:
            for failure in hide(fleet, timeline, job.scope, [host]):
                raise failure

    waits = bool(last_steps(again))

    def back_one(host: ResolvedHost) -> _Back:
        one = _back_one(again, fleet, timeline, host, touched)
        if not waits:
            end_one(host, one)
        return one

    results = on_each(job.hosts, back_one)
    back, failing = results.values, results.failures
    if waits:
        if any(one.through for one in back.values()):
            # Even where some are stuck: what others share is then of the code that they run.
            serves = {name: one.serves for name, one in back.items() if one.serves is not None}
            failing += run_last_steps(again, fleet, timeline, serves)
        failed = {failure.host for failure in failing}
        well = [host for host in job.hosts if host.name not in failed]
        failing += on_each(well, lambda host: end_one(host, back[host.name])).failures
    if not failing:
        return RolledBack(
            f"{reason}; every host is back on what it served before",
            failures,
            hint="\n".join([*hints_of(failures), _AGAIN]),
        )
    return _stuck(job, failures, failing, reason, is_taken_over)


def _stuck(
    job: Job,
    failures: list[HostError],
    failing: list[HostError],
    reason: str,
    is_taken_over: Callable[[], bool],
) -> FleetError:
    """Return the error about hosts that could not be brought back, or were not ours any more."""
    where = f" --env {job.environment_name}"
    not_ours = all(failure.code == "stale" for failure in failing)
    if not_ours and is_taken_over():
        taken = ", ".join(failure.host for failure in failing)
        others = (
            "" if len(failing) == len(job.hosts) else "; the others are back on what they served"
        )
        return TakenOver(
            f"{reason}; a later run has taken over {taken}, and what is served there is its matter"
            f"{others}",
            failures,
            hint=f"`castoff status{where}` says which host runs what.",
        )
    stuck = ", ".join(failure.host for failure in failing)
    if not_ours:
        # Whoever had the lease meanwhile wanted something else, and left them as they are.
        return Mixed(
            f"MIXED: {reason}, and {stuck} refused to be brought back: this run had lost the lock",
            [*failures, *failing],
            hint=f"Bring every host back: castoff abort{where}",
        )
    page = f" The page goes with castoff maintenance off{where}." if job.maintenance == "on" else ""
    return Mixed(
        f"MIXED: {reason}, and not every host could be brought back ({stuck})",
        [*failures, *failing],
        hint=f"`castoff status{where}` says which host runs what. Mend "
        f"{stuck}, then `castoff release` or `castoff rollback` with the version that all are "
        f"to run: it converges every host. One that is gone for good: take it out of castoff.toml "
        f"first.{page}",
    )


def _back_one(
    job: Job, fleet: Fleet, timeline: Timeline, host: ResolvedHost, touched: Collection[str]
) -> _Back:
    try:
        with fleet.turns.taken(host.name), timeline.step(host.name, "reconnect"):
            state = fleet.open_patiently(host, patience=_patience(job, host)).state
    except HostError as lost:
        # Its app may be as it was, but the page that this run put before it is still there; and
        # what it serves since a later run took it over is not known.
        if host.name in touched or job.maintenance == "on" or lost.code == "stale":
            raise
        timeline.watch.note(f"{lost.message}; it was not touched, and serves what it did")
        fleet.close(host)
        return _Back()
    good, color = fleet.opened[host.name].state.good, fleet.opened[host.name].state.color
    moved = state.current != good or state.intent is not None
    if color is not None or paired(job.environment):
        fleet.colors[host.name] = Colors(own=color, live=color)
    if moved:
        flip(job, fleet, timeline, host, good)
    elif host.name not in touched:
        return _Back(good)
    if good is None:
        timeline.watch.note(
            f"{host.name}: there was no earlier version to go back to: `current` is gone, but what "
            f"was started from {job.version} may still run there"
        )
        return _Back()
    if color is not None and paired(job.environment):
        # It was left running; to check that costs less than to start it.
        bring_up(job, fleet, timeline, host, good, trusted=True)
    run_steps(job, fleet, timeline, host, good, BACK if moved else AFTER)
    return _Back(good, through=True)


def reopen_and_hide(
    job: Job, fleet: Fleet, timeline: Timeline, hosts: Collection[ResolvedHost]
) -> list[HostError]:
    """Switch the maintenance page off after a run that never flipped; return the failures."""
    fleet.opening = fleet.opening.for_going_back()

    def hide_one(host: ResolvedHost) -> None:
        for again in (True, False):
            fleet.open_patiently(host, patience=_patience(job, host))
            failures = hide(fleet, timeline, job.scope, [host])
            if failures and not again:
                raise failures[0]
            if not failures:
                return

    return on_each(hosts, hide_one).failures


def _patience(job: Job, host: ResolvedHost) -> dict[str, float]:
    """Return how long to try a host again: while a step of ours may still run there, longer."""
    again = job.environment.limits.reconnect
    steps = [step.timeout for moment in _MOMENTS for step in steps_on(job, moment, host)]
    steps += [step.timeout for step in last_steps(job)]
    return {
        "busy": again + max(steps, default=0),
        "lost": again,
        "unreachable": again,
        "timeout": again,
    }
