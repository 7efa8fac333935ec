"""After a release: the table of steps and durations per host, and the numbers that matter."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from castoff.cli.render.sizes import seconds
from castoff.releaser.timeline import Timeline


def print_report(timeline: Timeline, hosts: list[str], console: Console) -> None:
    """Print a row for each step and a column for each host, then the totals."""
    steps = list(
        dict.fromkeys(span.step for span in sorted(timeline.spans, key=lambda s: s.started))
    )
    if not steps:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("step")
    for host in hosts:
        table.add_column(host, justify="right")
    for step in steps:
        table.add_row(step, *(_cell(timeline, host, step) for host in hosts))
    if timeline.flips:
        table.add_section()
        table.add_row(
            "potential downtime",
            *(seconds(timeline.downtime(host)) for host in hosts),
            style="bold",
        )
    console.print(table)
    parts = [f"total {seconds(timeline.total)}"]
    if timeline.activation is not None:
        parts.append(f"activation {seconds(timeline.activation)}")
    if timeline.skew is not None:
        parts.append(f"skew of the flips {timeline.skew * 1000:.0f} ms")
    console.print(", ".join(parts))


def report_json(timeline: Timeline, hosts: list[str]) -> dict[str, Any]:
    """Return the same as a JSON value; times in seconds, `started` since the epoch."""
    return {
        "started": timeline.started,
        "total_seconds": timeline.total,
        "activation_seconds": timeline.activation,
        "skew_seconds": timeline.skew,
        "hosts": [
            {
                "name": host,
                "downtime_seconds": timeline.downtime(host),
                "steps": [
                    {
                        "name": span.step,
                        "started": span.started,
                        "seconds": span.seconds,
                        "ok": span.ok,
                    }
                    for span in timeline.spans
                    if span.host == host
                ],
            }
            for host in hosts
        ],
    }


def _cell(timeline: Timeline, host: str, step: str) -> str:
    spans = [span for span in timeline.spans if span.host == host and span.step == step]
    if not spans:
        return ""
    text = seconds(sum(span.seconds for span in spans))
    return text if all(span.ok for span in spans) else f"FAILED {text}"
