"""A run under way: what its phases work on, and the phases themselves, one function each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from castoff.config.hosts import ResolvedHost
from castoff.releaser.activate import check_all, confirm, flip_all
from castoff.releaser.errors import BatchFailed, FleetError, HostError, Mixed
from castoff.releaser.fleet import Fleet, on_each
from castoff.releaser.gate import pass_gate
from castoff.releaser.go_back import go_back
from castoff.releaser.job import Job
from castoff.releaser.machine import ENDS, Phase, Position, after
from castoff.releaser.once import run_once_steps
from castoff.releaser.preflight import preflight
from castoff.releaser.prepare import barrier, prepare
from castoff.releaser.record import Record
from castoff.releaser.run_log import RunLog
from castoff.releaser.sources import ArchiveSources
from castoff.releaser.strategy import Batches
from castoff.releaser.timeline import Timeline
from castoff.store.errors import CastoffError, StoreError
from castoff.store.lease import Heartbeat


@dataclass(slots=True)
class Course:
    """One run on its way through the machine.

    Attributes:
        batches: The hosts in the groups in which they are flipped.
        position: Where it is.
        failure: What stopped it, once something has.
        touched: Names of hosts on which a step past the barrier was begun.
    """

    job: Job
    fleet: Fleet
    timeline: Timeline
    record: Record
    log: RunLog
    heartbeat: Heartbeat
    batches: Batches
    position: Position = field(default_factory=lambda: Position(Phase.PREFLIGHT))
    failure: CastoffError | KeyboardInterrupt | None = None
    touched: set[str] = field(default_factory=set)

    @property
    def batch(self) -> tuple[ResolvedHost, ...]:
        """The hosts that the present phase is about."""
        return self.batches[self.position.batch]

    def walk(self) -> Phase:
        """Go from phase to phase until one of the ends; return which, `failure` says why."""
        while self.position.phase not in ENDS:
            ok = self._do()
            self.position = after(
                self.position, ok=ok, kind=self.job.kind, batches=len(self.batches)
            )
        end = self.position.phase
        try:
            self.log.end(end)
        except StoreError as lost:
            self.timeline.watch.note(f"the end of this run is not in the store: {lost.message}")
        return end

    def _do(self) -> bool:
        phase = self.position.phase
        try:
            self._enter(phase)
            _PHASES[phase](self)
        except (CastoffError, KeyboardInterrupt) as error:
            self.failure = error
            return False
        return True

    def _enter(self, phase: Phase) -> None:
        """Note what is about to be done; on the way back nothing may keep us from doing it."""
        try:
            if phase is not Phase.GO_BACK:
                self.heartbeat.check()
            self.log.enter(self.position)
        except StoreError as lost:
            if phase is not Phase.GO_BACK:
                raise
            self.timeline.watch.note(f"this is not in the store: {lost.message}")
        self.timeline.watch.phase(phase.value)


def _prepare(course: Course) -> None:
    job = course.job
    with ArchiveSources(job) as sources:
        offered = None if job.kind == "activate" else sources
        barrier(job, prepare(job, course.fleet, offered, course.timeline))


def _once(course: Course, moment: Literal["backup", "once"]) -> None:
    # What is live already has been migrated to; running that again would change nothing.
    if course.record.current != course.job.version:
        run_once_steps(course.job, course.fleet, course.timeline, course.log, moment)


def _flip(course: Course) -> None:
    course.touched.update(host.name for host in course.batch)
    _raise(course, flip_all(course.job, course.fleet, course.timeline, course.batch))


def _check(course: Course) -> None:
    _raise(course, check_all(course.job, course.fleet, course.timeline, course.batch))


def _gate(course: Course) -> None:
    flipped = [host for batch in course.batches[: course.position.batch] for host in batch]
    pass_gate(course.job, course.fleet, course.timeline, flipped)


def _record(course: Course) -> None:
    job, fleet = course.job, course.fleet
    course.record.advance()
    for failure in on_each(job.hosts, lambda host: confirm(job, fleet, host, job.version)).failures:
        course.timeline.watch.note(
            f"{failure.host} serves {job.version} but did not note it as good: {failure.detail}"
        )


def _go_back(course: Course) -> None:
    error = course.failure
    failures: list[HostError] = error.failures if isinstance(error, FleetError) else []
    reason = error.message.splitlines()[0] if isinstance(error, CastoffError) else "interrupted"
    outcome = go_back(course.job, course.fleet, course.timeline, failures, reason, course.touched)
    course.failure = outcome
    if isinstance(outcome, Mixed):
        raise outcome


def _raise(course: Course, failures: list[HostError]) -> None:
    if failures:
        raise BatchFailed(f"{course.job.version} failed after the barrier", failures)


_PHASES: dict[Phase, Callable[[Course], None]] = {
    Phase.PREFLIGHT: lambda course: preflight(course.job, course.fleet, course.timeline),
    Phase.PREPARE: _prepare,
    Phase.BACKUP: lambda course: _once(course, "backup"),
    Phase.MIGRATE: lambda course: _once(course, "once"),
    Phase.FLIP: _flip,
    Phase.CHECK: _check,
    Phase.GATE: _gate,
    Phase.RECORD: _record,
    Phase.GO_BACK: _go_back,
}
