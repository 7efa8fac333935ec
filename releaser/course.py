"""A run under way: what its phases work on."""

from __future__ import annotations

from dataclasses import dataclass, field

from castoff.config.hosts import ResolvedHost
from castoff.releaser.documents import Documents
from castoff.releaser.errors import (
    HostError,
    PreflightFailed,
    PrepareFailed,
)
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.machine import Phase, Position
from castoff.releaser.migrations.crossing import Crossing
from castoff.releaser.quarantine_log import QuarantineLog
from castoff.releaser.record import Record
from castoff.releaser.run_log import RunLog
from castoff.releaser.stragglers import may_leave_out, objection, without
from castoff.releaser.strategy import Batches, batches
from castoff.releaser.timeline import Timeline
from castoff.store.errors import CastoffError
from castoff.store.lease import Heartbeat


@dataclass(slots=True)
class Course:
    """One run on its way through the machine.

    Attributes:
        batches: The hosts in the groups in which they are flipped.
        position: Where it is.
        failure: What stopped it, once something has.
        touched: Names of hosts on which a step past the barrier was begun.
        page_on: Whether the maintenance page was switched on for this run, or may have been.
        everyone: The hosts that it began with; the job is about those that take part.
        out: What is wrong with the hosts that it goes on without, by name.
        quarantine: Who is in quarantine.
        restored: What was restored, and how to go back; empty where nothing was.
        crossing: What lies between the database and the version's code; None where that is no
            matter.
        migrated: Whether migrations may have been run, or taken back.
        documents: What hosts are told of the version; None before they are connected to.
    """

    job: Job
    fleet: Fleet
    timeline: Timeline
    record: Record
    log: RunLog
    heartbeat: Heartbeat
    batches: Batches
    quarantine: QuarantineLog
    everyone: tuple[ResolvedHost, ...]
    position: Position = field(default_factory=lambda: Position(Phase.PREFLIGHT))
    failure: CastoffError | KeyboardInterrupt | None = None
    touched: set[str] = field(default_factory=set)
    page_on: bool = False
    out: dict[str, HostError] = field(default_factory=dict)
    restored: str = ""
    crossing: Crossing | None = None
    migrated: bool = False
    documents: Documents | None = None

    @property
    def batch(self) -> tuple[ResolvedHost, ...]:
        """The hosts that the present phase is about."""
        return self.batches[self.position.batch]

    def go_without(self, failed: PreflightFailed | PrepareFailed) -> None:
        """Go on without the hosts that failed; raise their failure if that may not be."""
        job = self.job
        if not may_leave_out(job):
            raise failed
        out = {**self.out, **{failure.host: failure for failure in failed.failures}}
        held = self.log.held
        if why_not := objection(job, self.everyone, out, failed.failures, held):
            summary = f"{failed.message.splitlines()[0]}: {why_not}"
            raise type(failed)(summary, list(out.values()))
        for failure in failed.failures:
            self.timeline.watch.note(f"{failure.host} is left out: {failure.detail}")
        self.job = without(job, out)
        self.batches = batches(self.job.environment.strategy, self.job.hosts)
        self.out = out

    @property
    def was_live(self) -> bool:
        """Whether the run that is resumed had found every host healthy."""
        return self.log.resumed is not None and self.log.resumed.phase == Phase.RECORD.value
