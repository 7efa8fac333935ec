"""What follows a run once its lease is free: people are told, and the version gets its tag.

Nothing of this can fail the run any more: it has come to its outcome, and what goes wrong here is
a line that is told of it, and that is kept beside the run's entry in the history.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from castoff.releaser.job import Job, Scope
from castoff.releaser.notify.message import of_end, of_start
from castoff.releaser.notify.teller import Teller
from castoff.releaser.tagging import is_tagged, remote, tag_message, tag_name
from castoff.releaser.tail import storable
from castoff.releaser.timeline import Timeline
from castoff.store import remarks
from castoff.store.errors import CastoffError
from castoff.store.history import Draft
from castoff.store.remarks import Remarks


class Aftermath:
    """Collects what a run puts into the history, and tells of it when the context is left."""

    def __init__(self, scope: Scope, timeline: Timeline) -> None:
        self._scope = scope
        self._timeline = timeline
        self._teller = Teller(scope.environment, scope.base)
        self._written: list[tuple[Draft, int | None]] = []
        self._remarks: list[str] = []

    def begin(self, job: Job, from_version: str | None) -> None:
        """Tell, in the background, that a run has begun."""
        with self._remarking("people were not told of the run's start"):
            self._teller.tell(of_start(job, from_version, self._timeline.started))

    def add(self, draft: Draft, number: int | None) -> None:
        """Note what the history has of a run, or would have if the store had taken it."""
        self._written.append((draft, number))

    def __enter__(self) -> Aftermath:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        untagged = [(draft, number) for draft, number in self._written if self._leaves_tag(draft)]
        try:
            if self._scope.environment.notify:
                for draft, number in self._written:
                    with self._remarking("people were not told of the run's end"):
                        self._teller.tell(of_end(self._scope, draft, number))
            while untagged:
                with self._remarking("the tag was not made"):
                    self._tag(*untagged[0])
                untagged.pop(0)
            for line in self._teller.wait():
                self._remark(line)
        except KeyboardInterrupt:
            missing = ", and its tag may be missing" if untagged else ""
            self._remark(
                f"interrupted while people were being told of the run: some may not know{missing}"
            )
        # Whoever interrupts again is let go.
        with suppress(KeyboardInterrupt):
            self._keep()

    def _remark(self, line: str) -> None:
        self._timeline.watch.note(line)
        self._remarks.append(line)

    def _keep(self) -> None:
        """Leave what was remarked beside the last entry, for whoever reads the history."""
        numbers = [number for _, number in self._written if number is not None]
        if not self._remarks or not numbers:
            return
        scope = self._scope
        kept = Remarks(number=numbers[-1], remarks=tuple(map(storable, self._remarks)))
        try:
            remarks.write(scope.store, scope.app, scope.environment_name, kept)
        except CastoffError as failure:
            self._timeline.watch.note(f"the history does not have that: {failure.message}")

    def _leaves_tag(self, draft: Draft) -> bool:
        return self._scope.environment.tag is not None and is_tagged(draft)

    def _tag(self, draft: Draft, number: int | None) -> None:
        tag = self._scope.environment.tag
        if tag is None or number is None:
            return
        self._scope.repository.tag(
            tag_name(tag, self._scope, draft, number),
            draft.commit,
            tag_message(self._scope, draft, number),
            tagger=tag.tagger or "",
            who=draft.who,
            push=remote(tag),
            limit=tag.timeout,
        )

    @contextmanager
    def _remarking(self, what: str) -> Iterator[None]:
        """Make a line of whatever goes wrong: the run has its outcome."""
        try:
            yield
        except CastoffError as failure:
            hint = f"; by hand: {failure.hint}" if failure.hint else ""
            self._remark(f"{failure.message}{hint}")
        except Exception as error:  # noqa: BLE001 (see above)
            # Its text may hold anything.
            self._remark(f"{what}: a defect in Castoff: {type(error).__name__}")
