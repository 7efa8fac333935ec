"""What a run is about to do, written to the store before it is done."""

from __future__ import annotations

from collections.abc import Iterable

from castoff.releaser.job import Job
from castoff.releaser.machine import Phase, Position
from castoff.store import run_document
from castoff.store.errors import Conflict, StoreError, UsageError
from castoff.store.run_document import RunDocument


class RunLog:
    """The run's document in the store, as this controller last wrote it.

    Attributes:
        interrupted: The run before, if its controller died before it came to an end.
        left: The run before, if it is another one and has not come to an end.
    """

    def __init__(self, job: Job, *, token: int, from_version: str | None, started: float) -> None:
        """Read what the run before left; nothing is written yet.

        Raises:
            UsageError: The job is to go on with a run that has come to an end meanwhile.
        """
        scope = job.scope
        self._job = job
        seen = run_document.read(scope.store, scope.app, scope.environment_name)
        self._etag = None if seen is None else seen[1]
        before = None if seen is None else seen[0]
        left = None if before is None or before.over else before
        self._resumed = before if before is not None and before.release == job.release else None
        if self._resumed is not None and left is None:
            raise UsageError(f"the {job.kind} of {job.version} has come to an end meanwhile")
        taken_over = left is not None and self._resumed is None
        self.left = left if taken_over else None
        self.interrupted = None if self.left is None or self.left.told else self.left
        self._document = RunDocument(
            release=job.release,
            kind=job.kind,
            version=job.version,
            from_version=from_version if self._resumed is None else self._resumed.from_version,
            commit=job.manifest.source.commit,
            who=scope.who,
            token=token,
            hosts=tuple(host.name for host in job.hosts),
            phase=Phase.PREFLIGHT.value,
            quarantined=() if self._resumed is None else self._resumed.quarantined,
            done=() if self._resumed is None else self._resumed.done,
            flipped=left is not None and left.flipped,
            started=started,
            only=scope.partial,
            maintenance=job.maintenance,
            migrate_down=job.migrate_down,
            allow_incompatible=job.allow_incompatible,
            restores=tuple(one.identifier for one in job.restores)
            if self._resumed is None
            else self._resumed.restores,
        )

    @property
    def resumed(self) -> RunDocument | None:
        """The run that this one goes on with, as it was left."""
        return self._resumed

    @property
    def flipped(self) -> bool:
        """Whether a host may have flipped and not been brought to an end."""
        return self._document.flipped

    @property
    def token(self) -> int:
        """The fencing token that it is written under."""
        return self._document.token

    @property
    def done(self) -> tuple[str, ...]:
        """The once-only steps of this run that have run to their end."""
        return self._document.done

    def enter(self, position: Position) -> None:
        """Note the phase that is about to begin.

        Raises:
            Conflict: Another controller has taken over.
            StoreError: The store cannot be written.
        """
        flipped = self._document.flipped or position.phase is Phase.FLIP
        self._write(phase=position.phase.value, batch=position.batch, flipped=flipped)

    @property
    def held(self) -> frozenset[str]:
        """Names of the hosts that the interrupted run which is resumed may have flipped."""
        before = self._resumed
        if before is None or not before.flipped:
            return frozenset()
        return frozenset(before.hosts) - frozenset(before.quarantined)

    def go_without(self, names: Iterable[str]) -> None:
        """Note the hosts that the run goes on without; raises as `enter`."""
        names = tuple(names)
        if names != self._document.quarantined:
            self._write(quarantined=names)

    def finish_step(self, name: str) -> None:
        """Note that a once-only step has run to its end; raises as `enter`."""
        self._write(done=(*self._document.done, name))

    def check(self) -> None:
        """Return unless another controller has taken over and begun a run of its own.

        Raises:
            Conflict: One has.
            StoreError: The store cannot be read.
        """
        scope = self._job.scope
        seen = run_document.read(scope.store, scope.app, scope.environment_name)
        if seen is not None and seen[0].token > self._document.token:
            later = seen[0]
            raise Conflict(f"{later.kind} {later.version} by {later.who} has taken over")

    def is_taken_over(self) -> bool:
        """Return whether a later run is known to have begun.

        A lease alone may have been taken for less: to prune hosts, or to switch a page.
        """
        try:
            self.check()
        except Conflict:
            return True
        except StoreError:
            return False
        return False

    def end(self, phase: Phase) -> None:
        """Note how the run came to its end; raises as `enter`."""
        self._write(phase=phase.value, over=True, told=True)

    def leave(self, phase: Phase) -> None:
        """Note that the run has stopped in a phase and is not over; raises as `enter`."""
        self._write(phase=phase.value, told=True)

    def _write(self, **changes: object) -> None:
        scope = self._job.scope
        document = self._document.model_copy(update=changes)
        where = (scope.store, scope.app, scope.environment_name)
        try:
            etag = run_document.write(*where, document, etag=self._etag)
        except Conflict:
            # An interrupt, or an answer that got lost, may have hidden that we wrote it ourselves.
            seen = run_document.read(*where)
            if seen is None or seen[1] == self._etag or seen[0].token > document.token:
                raise
            if not self._wrote(seen[0]):
                # A controller that woke up after its lease, which is ours: what it may have
                # flipped in that moment is now ours to mend.
                flipped = document.flipped or (seen[0].flipped and not seen[0].over)
                document = document.model_copy(update={"flipped": flipped})
            etag = run_document.write(*where, document, etag=seen[1])
        self._etag, self._document = etag, document

    def _wrote(self, document: RunDocument) -> bool:
        """Whether a document is this controller's: no two leases have one token."""
        ours = self._document
        return (document.token, document.release) == (ours.token, ours.release)
