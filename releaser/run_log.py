"""What a run is about to do, written to the store before it is done."""

from __future__ import annotations

from castoff.releaser.job import Job
from castoff.releaser.machine import Phase, Position
from castoff.store import run_document
from castoff.store.run_document import RunDocument


class RunLog:
    """The run's document in the store, as this controller last wrote it.

    Attributes:
        interrupted: The run before, if its controller died before it came to an end.
    """

    def __init__(self, job: Job, *, token: int, from_version: str | None, started: float) -> None:
        """Read what the run before left; nothing is written yet."""
        scope = job.scope
        self._job = job
        seen = run_document.read(scope.store, scope.app, scope.environment_name)
        self._etag = None if seen is None else seen[1]
        before = None if seen is None else seen[0]
        resumed = before is not None and before.release == job.release
        self.interrupted = None if before is None or before.over or resumed else before
        self._document = RunDocument(
            release=job.release,
            kind=job.kind,
            version=job.version,
            from_version=before.from_version if before is not None and resumed else from_version,
            commit=job.manifest.source.commit,
            who=scope.who,
            token=token,
            hosts=tuple(host.name for host in job.hosts),
            phase=Phase.PREFLIGHT.value,
            done=before.done if before is not None and resumed else (),
            started=started,
            only=scope.partial,
        )

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
        self._write(phase=position.phase.value, batch=position.batch)

    def finish_step(self, name: str) -> None:
        """Note that a once-only step has run to its end; raises as `enter`."""
        self._write(done=(*self._document.done, name))

    def end(self, phase: Phase) -> None:
        """Note how the run came to its end; raises as `enter`."""
        self._write(phase=phase.value, over=True)

    def _write(self, **changes: object) -> None:
        scope = self._job.scope
        document = self._document.model_copy(update=changes)
        self._etag = run_document.write(
            scope.store, scope.app, scope.environment_name, document, etag=self._etag
        )
        self._document = document
