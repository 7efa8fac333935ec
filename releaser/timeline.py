"""What happened on each host and when: recorded while it happens, reported afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from castoff.releaser.listener import Listener
from castoff.releaser.secrets.conceal import Redact
from castoff.releaser.watch import Watch
from castoff.store.outcomes import Way
from castoff.store.quarantine import Quarantined


@dataclass(frozen=True, slots=True)
class Span:
    """One step on one host.

    Attributes:
        host: The host's name.
        step: The step's name.
        started: Seconds since the epoch, by the controller's clock.
        seconds: How long it took.
        ok: Whether it ended well.
        phase: The phase of the run that it was part of.
        output: The last lines that it printed.
        left_out: How many lines came before those.
        retried: Whether it failed and was tried again.
    """

    host: str
    step: str
    started: float
    seconds: float
    ok: bool
    phase: str
    output: tuple[str, ...]
    left_out: int
    retried: bool = False

    @property
    def ended(self) -> float:
        """When it ended, seconds since the epoch."""
        return self.started + self.seconds


class Timeline:
    """All spans of one release, and the moments between which a host may have been down.

    Attributes:
        quarantined: The hosts that were in quarantine when it ended, by name.
        fetched: How many bytes each host fetched in which way, by its name.
    """

    def __init__(self, watch: Watch) -> None:
        self._listener = Listener(watch)
        self.watch: Watch = self._listener
        self.started = time.time()
        self.spans: list[Span] = []
        self.flips: dict[str, float] = {}
        self._irreversible: float | None = None
        self.health: dict[str, float] = {}
        self.quarantined: dict[str, Quarantined] = {}
        self.fetched: dict[str, dict[Way, int]] = {}
        self._clock = time.monotonic()
        self._lock = threading.Lock()

    def conceal(self, redact: Redact) -> None:
        """Let a function take the secrets of the run from all that is told of it from now on."""
        self._listener.redact = redact

    def now(self) -> float:
        """Return seconds since the epoch that never run backwards within this timeline."""
        return self.started + (time.monotonic() - self._clock)

    @contextmanager
    def step(self, host: str, name: str) -> Iterator[None]:
        """Record what runs inside as one span, whether it ends well or not."""
        self.watch.begin(host, name)
        phase = self._listener.phase_name
        started = self.now()
        error: str | None = "interrupted"
        try:
            yield
            error = None
        except Exception as failure:
            error = str(failure)
            raise
        finally:
            seconds = self.now() - started
            tail = self._listener.take(host, name)
            span = Span(
                host, name, started, seconds, error is None, phase, tail.lines, tail.left_out
            )
            with self._lock:
                self.spans.append(span)
            self.watch.end(host, name, seconds, error)

    def retried(self, host: str, name: str) -> None:
        """Note that a host's last step of this name, which failed, is tried again."""
        with self._lock:
            for index in range(len(self.spans) - 1, -1, -1):
                span = self.spans[index]
                if (span.host, span.step) == (host, name):
                    self.spans[index] = replace(span, retried=True)
                    return

    def irreversible(self) -> None:
        """Note that from now on something is changed that the old version may not live with."""
        with self._lock:
            if self._irreversible is None:
                self._irreversible = self.now()

    def flipped(self, host: str) -> None:
        """Note that the host's link was switched, just now."""
        with self._lock:
            self.flips.setdefault(host, self.now())

    def healthy(self, host: str) -> None:
        """Note that the host serves and answers, just now."""
        with self._lock:
            self.health[host] = self.now()

    @property
    def total(self) -> float:
        """Seconds from the beginning to the end of the last span."""
        return max((span.ended for span in self.spans), default=self.started) - self.started

    @property
    def activation(self) -> float | None:
        """Seconds from the first irreversible step or flip to the last healthy host."""
        starts = [*self.flips.values()]
        if self._irreversible is not None:
            starts.append(self._irreversible)
        if not starts or not self.health:
            return None
        return max(self.health.values()) - min(starts)

    @property
    def skew(self) -> float | None:
        """Seconds between the first host's flip and the last one's, as the controller saw them."""
        if not self.flips:
            return None
        return max(self.flips.values()) - min(self.flips.values())

    def downtime(self, host: str) -> float | None:
        """Seconds that a host was potentially down: first irreversible step to healthy."""
        if host not in self.health:
            return None
        start = self.flips.get(host, self.health[host])
        if self._irreversible is not None:
            start = min(start, self._irreversible)
        return self.health[host] - start
