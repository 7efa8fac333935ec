"""A watch between the run and whoever looks on, which notes what the report will need."""

from __future__ import annotations

from collections.abc import Callable

from castoff.releaser.secrets.conceal import Redact, as_it_is
from castoff.releaser.tail import Tail
from castoff.releaser.watch import Silent, Watch


class Listener:
    """Passes everything on to another watch, until that one is gone, and secrets never.

    A terminal or pipe that nobody reads any more must not stop a release in the middle. What a run
    shows, keeps in the history and puts into its report, all of it comes by here.

    Attributes:
        phase_name: The phase that the run is in; empty before the first.
        redact: Takes secrets out of a text.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._tails: dict[tuple[str, str], Tail] = {}
        self.phase_name = ""
        self.redact: Redact = as_it_is

    def take(self, host: str, step: str) -> Tail:
        """Return what a step on a host has printed since it began, and forget it."""
        return self._tails.pop((host, step), Tail())

    def phase(self, name: str) -> None:
        """Note the phase."""
        self.phase_name = name
        self._tell(lambda watch: watch.phase(name))

    def begin(self, host: str, step: str) -> None:
        """Begin to listen to a step."""
        self._tails[host, step] = Tail()
        self._tell(lambda watch: watch.begin(host, step))

    def progress(self, host: str, step: str, done: int, total: int) -> None:
        """Pass it on."""
        self._tell(lambda watch: watch.progress(host, step, done, total))

    def output(self, host: str, step: str, text: str) -> None:
        """Keep the last lines."""
        clean = self.redact(text)
        tail = self._tails.get((host, step))
        if tail is not None:
            tail.add(clean)
        self._tell(lambda watch: watch.output(host, step, clean))

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        """Pass it on."""
        clean = None if error is None else self.redact(error)
        self._tell(lambda watch: watch.end(host, step, seconds, clean))

    def note(self, text: str) -> None:
        """Pass it on."""
        clean = self.redact(text)
        self._tell(lambda watch: watch.note(clean))

    def ask(self, question: str) -> bool:
        """Pass it on; nobody who is gone says yes."""
        try:
            return self._watch.ask(self.redact(question))
        except OSError:
            return False

    def _tell(self, what: Callable[[Watch], None]) -> None:
        try:
            what(self._watch)
        except OSError:
            self._watch = Silent()
