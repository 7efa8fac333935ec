"""What follows a run once its lease is free: people are told, and the version gets its tag.

Nothing of this can fail the run any more: it has come to its outcome, and what goes wrong here is
a line that is told of it.
"""

from __future__ import annotations

from types import TracebackType

from castoff.releaser.job import Job, Scope
from castoff.releaser.notify.message import of_end, of_start
from castoff.releaser.notify.teller import Teller
from castoff.releaser.tagging import is_tagged, remote, tag_message, tag_name
from castoff.releaser.timeline import Timeline
from castoff.store.errors import CastoffError
from castoff.store.history import Draft


class Aftermath:
    """Collects what a run puts into the history, and tells of it when the context is left."""

    def __init__(self, scope: Scope, timeline: Timeline) -> None:
        self._scope = scope
        self._timeline = timeline
        self._teller = Teller(scope.environment, scope.base)
        self._written: list[tuple[Draft, int | None]] = []

    def begin(self, job: Job, from_version: str | None) -> None:
        """Tell, in the background, that a run has begun."""
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
        watch = self._timeline.watch
        try:
            if self._scope.environment.notify:
                for draft, number in self._written:
                    self._teller.tell(of_end(self._scope, draft, number))
            for draft, number in self._written:
                self._tag(draft, number)
            for line in self._teller.wait():
                watch.note(line)
        except KeyboardInterrupt:
            watch.note("interrupted while people were being told of the run: some may not know")

    def _tag(self, draft: Draft, number: int | None) -> None:
        tag = self._scope.environment.tag
        if tag is None or number is None or not is_tagged(draft):
            return
        try:
            self._scope.repository.tag(
                tag_name(tag, self._scope, draft, number),
                draft.commit,
                tag_message(self._scope, draft, number),
                tagger=tag.tagger or "",
                who=draft.who,
                push=remote(tag),
                limit=tag.timeout,
            )
        except CastoffError as failure:
            hint = f"; by hand: {failure.hint}" if failure.hint else ""
            self._timeline.watch.note(f"{failure.message}{hint}")
