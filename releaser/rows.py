"""A timeline as the rows that the history keeps and reports are made of."""

from __future__ import annotations

from collections.abc import Iterable

from castoff.config.hosts import ResolvedHost
from castoff.releaser.tail import MOST_BYTES, shortened
from castoff.releaser.timeline import Span, Timeline
from castoff.store.history import HostRow, StepRow

# Every release reads the history, so that one noisy run must not weigh on all that follow.
MOST_BYTES_OF_A_RUN = 2 * 1024 * 1024


def host_rows(timeline: Timeline, hosts: Iterable[ResolvedHost]) -> tuple[HostRow, ...]:
    """Return a row for each host, in the order given.

    Output is bounded: what a run's steps printed takes at most 2 MiB together, shared evenly among
    those that printed anything.
    """
    spans = list(timeline.spans)
    speaking = sum(1 for span in spans if span.output)
    share = min(MOST_BYTES, MOST_BYTES_OF_A_RUN // max(speaking, 1))
    return tuple(
        HostRow(
            name=host.name,
            downtime_seconds=timeline.downtime(host.name),
            steps=tuple(_step(span, share) for span in spans if span.host == host.name),
            roles=tuple(host.roles),
            flipped=timeline.flips.get(host.name),
            healthy=timeline.health.get(host.name),
            fetched=timeline.fetched.get(host.name),
        )
        for host in hosts
    )


def _step(span: Span, share: int) -> StepRow:
    output = shortened(span.output, share)
    return StepRow(
        name=span.step,
        started=span.started,
        seconds=span.seconds,
        ok=span.ok,
        phase=span.phase,
        output=output,
        left_out=span.left_out + len(span.output) - len(output),
        retried=span.retried,
    )
