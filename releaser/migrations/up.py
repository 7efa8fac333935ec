"""Migrate once for each version, whatever has died in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.migrations.ledger import Ledger
from castoff.releaser.run import run_step
from castoff.releaser.timeline import Timeline
from castoff.store.migration_log import MigrationEntry, State

# Of a host that did not answer, nobody knows what it does now.
_UNHEARD = frozenset({"lost", "timeout", "unreachable"})


def migrate(
    job: Job, fleet: Fleet, timeline: Timeline, step: Step, host: ResolvedHost, *, token: int
) -> None:
    """Run a step's migrations on its leader, unless they have been run for this version.

    That they have is known from the environment's log. Where the step can ask the database's
    framework, it asks that too: the data may be other data by now, restored by hand say. An
    attempt of which nobody knows how it ended is asked for on the host that it ran on, and else
    run again: frameworks pass over what they have done.

    Args:
        job: The run.
        fleet: Its hosts.
        timeline: Where it is recorded.
        step: A step that migrates.
        host: Its leader.
        token: The run's fencing token.

    Raises:
        HostError: It failed; or one may still be running on another host.
        Conflict: Another controller has taken over.
        StoreError: The store cannot be read or written.
    """
    ledger = Ledger(job.scope)
    before = ledger.of(job.version, step.name)
    ended = before is not None and before.state == "ended"
    if before is not None and ended and not _asks(step):
        timeline.watch.note(
            f"{step.name} is not run again: it has run for {job.version} "
            f"({_clock(before.began)} UTC, on {before.leader})"
        )
        return
    if (other := ledger.elsewhere(host)) is not None:
        raise running_elsewhere(host, other)
    unknown = before is not None and before.state == "begun"
    entry = ledger.begin(job, step, host, job.version, token=token)
    more = {
        "attempt": entry.attempt,
        "after": before.attempt if before is not None and unknown else None,
        "ask_first": ended or unknown,
    }
    attempt(ledger, entry, lambda: run_step(job, fleet, timeline, step, host, job.version, more))


def attempt(
    ledger: Ledger, entry: MigrationEntry, action: Callable[[], None], *, well: State = "ended"
) -> None:
    """Do what was begun, and note how it has ended as far as that is known.

    Args:
        ledger: Where it was begun.
        entry: What was begun.
        action: Does it.
        well: What it is once it has been done.

    Raises:
        HostError: It failed.
        StoreError: The store cannot be written, or another controller has taken over.
    """
    try:
        action()
    except HostError as failure:
        if failure.code not in _UNHEARD:
            ledger.end(entry, "failed")
        raise
    ledger.end(entry, well)


def _asks(step: Step) -> bool:
    return step.migrate is not None and step.migrate.asks


def running_elsewhere(host: ResolvedHost, other: MigrationEntry) -> HostError:
    """Return the error for a migration that may still be running on another host."""
    return HostError(
        host.name,
        f"step {other.step!r} of {other.version} was begun on {other.leader} at "
        f"{_clock(other.began)} UTC, nobody knows how it ended, and it may run there until "
        f"{_clock(other.until)} UTC",
        code="busy",
        hint=f"Release again after that; or at once with {other.leader}, which knows.",
    )


def _clock(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
