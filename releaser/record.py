"""What the store remembers of releases: the environment's channel and its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from castoff.releaser.errors import NotRecorded
from castoff.releaser.job import Job, Scope
from castoff.releaser.machine import Phase
from castoff.releaser.migrations.crossing import Crossing, names
from castoff.releaser.migrations.down import Down
from castoff.releaser.plan import planned
from castoff.releaser.replies import Opened
from castoff.releaser.retention.lineage import before, good_versions
from castoff.releaser.retention.look_back import look_back
from castoff.releaser.rows import host_rows
from castoff.releaser.tail import storable
from castoff.releaser.timeline import Timeline
from castoff.store import channel, history
from castoff.store.channel import Channel
from castoff.store.commits import Commits
from castoff.store.errors import CastoffError, StoreError
from castoff.store.history import QuarantineRow
from castoff.store.outcomes import Outcome
from castoff.store.run_document import RunDocument

OUTCOMES: dict[Phase, Outcome] = {
    Phase.PREPARED: "prepared",
    Phase.RELEASED: "released",
    Phase.FAILED: "failed",
    Phase.ROLLED_BACK: "rolled back",
    Phase.MIXED: "mixed",
}


class Record:
    """The environment's memory, as it was when the job began and as the job leaves it.

    Attributes:
        opened: What each host said when it was reached first, for the plan that is kept.
        crossing: What lies between the database and the version's code; None where that is no
            matter.
        down: What the job takes back; None where that is nothing.
        written: Told of what is appended to the history, with its number; or with None where the
            store has not taken it.
    """

    def __init__(self, job: Job, pointer: tuple[Channel, str] | None, stack: list[str]) -> None:
        self._job = job
        self._pointer = pointer
        self._stack = stack
        self.opened: Mapping[str, Opened] = {}
        self.crossing: Crossing | None = None
        self.down: Down | None = None
        self.written: Callable[[history.Draft, int | None], None] = lambda _draft, _number: None

    @classmethod
    def open(cls, job: Job) -> Record:
        """Read the channel and the history of the job's environment."""
        scope = job.scope
        pointer = channel.read(scope.store, scope.app, scope.environment_name)
        return cls(job, pointer, _stack(scope, pointer))

    @property
    def current(self) -> str | None:
        """The version that was live when the job began."""
        return None if self._pointer is None else self._pointer[0].current

    @property
    def previous(self) -> str | None:
        """The good version to come back to once the job's version is live."""
        stack = self._stack
        if self._job.kind == "rollback" and self._job.version in stack:
            stack = stack[: stack.index(self._job.version) + 1]
        return before(stack, self._job.version)

    @property
    def good(self) -> tuple[str, ...]:
        """The good versions, the oldest first, as they were when the job began."""
        return tuple(self._stack)

    def advance(self) -> None:
        """Point the channel at the job's version, if the job is about all hosts.

        After a partial release the channel says what the environment should serve, as before;
        `castoff status` shows which hosts differ.

        Raises:
            Conflict: Another has moved the channel.
            StoreError: The store cannot be written.
        """
        scope = self._job.scope
        if scope.partial or self._job.kind == "converge":
            return
        channel.advance(
            scope.store,
            scope.app,
            scope.environment_name,
            self._pointer,
            current=self._job.version,
            previous=self.previous,
            release=self._job.release,
        )

    def write(self, timeline: Timeline, end: Phase, failure: BaseException | None) -> int:
        """Append what came of the job to the history; return the entry's number.

        Raises:
            StoreError: The store cannot be written.
        """
        detail = ""
        if failure is not None:
            detail = failure.message if isinstance(failure, CastoffError) else "interrupted"
        outcome = "interrupted" if isinstance(failure, NotRecorded) else OUTCOMES[end]
        job = self._job
        return self._append(
            history.Draft(
                kind=job.kind,
                version=job.version,
                from_version=self.current,
                outcome=outcome,
                who=job.scope.who,
                started=timeline.started,
                ended=timeline.now(),
                commit=job.manifest.source.commit,
                detail=storable(detail),
                activation_seconds=timeline.activation,
                hosts=host_rows(timeline, job.hosts),
                skew_seconds=timeline.skew,
                only=job.scope.partial,
                job_url=job.scope.job_url,
                commits=self._commits(),
                plan=planned(job, self.opened, live=self.current),
                allowed=self._allowed(),
                taken_back=() if self.down is None else names(self.down.gone),
                quarantined=tuple(
                    QuarantineRow(name=one.host, since=one.since, why=one.why)
                    for one in timeline.quarantined.values()
                ),
            )
        )

    def write_interrupted(self, run: RunDocument, now: float) -> None:
        """Append that an earlier run's controller died before it came to an end.

        Raises:
            StoreError: The store cannot be written.
        """
        self._append(
            history.Draft(
                kind=run.kind,
                version=run.version,
                from_version=run.from_version,
                outcome="interrupted",
                who=run.who,
                started=run.started,
                ended=now,
                commit=run.commit,
                detail=f"its controller died in the phase {run.phase!r}",
                activation_seconds=None,
                hosts=(),
                only=run.only,
            )
        )

    def _append(self, draft: history.Draft) -> int:
        scope = self._job.scope
        try:
            entry = history.append(scope.store, scope.app, scope.environment_name, draft)
        except StoreError:
            self.written(draft, None)
            raise
        self.written(draft, entry.number)
        return entry.number

    def _allowed(self) -> tuple[str, ...]:
        """Return the migrations that somebody let the version's code live with."""
        job = self._job
        if self.crossing is None or not job.allow_incompatible or self.down is not None:
            return ()
        return names(self.crossing.in_the_way)

    def _commits(self) -> Commits | None:
        """Return what lies between what was live and the job's version; None if not known."""
        scope, before = self._job.scope, self.current
        if before is None:
            return None
        try:
            manifest = scope.manifest(before)
        except CastoffError:
            return None
        return scope.repository.between(manifest.source.commit, self._job.manifest.source.commit)


def on_record(scope: Scope) -> str | None:
    """Return the version that the environment as a whole has, or None before the first release."""
    pointer = channel.read(scope.store, scope.app, scope.environment_name)
    return None if pointer is None else pointer[0].current


def previous_good(scope: Scope) -> str | None:
    """Return the version that a rollback without a version goes to, or None if there is none."""
    pointer = channel.read(scope.store, scope.app, scope.environment_name)
    current = None if pointer is None else pointer[0].current
    return before(_stack(scope, pointer), current)


def _stack(scope: Scope, pointer: tuple[Channel, str] | None) -> list[str]:
    # One more than hosts keep: the live one may be live for the first time.
    wanted = scope.environment.keep + 1
    runs = look_back(scope.store, scope.app, scope.environment_name, good=wanted)
    stack = good_versions(reversed(runs))
    if pointer is None:
        return stack
    current, previous = pointer[0].current, pointer[0].previous
    # A controller that died between the channel and the history left the channel ahead.
    if not stack or stack[-1] != current:
        stack.append(current)
    if previous is not None and stack == [current]:
        stack.insert(0, previous)
    return stack
