"""After a release: the table of steps and durations per host, and the numbers that matter."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from castoff.cli.render.fetched import fetched_lines
from castoff.cli.render.sizes import seconds
from castoff.releaser.timeline import Timeline
from castoff.store.freeze import clock
from castoff.store.history import Entry
from castoff.store.outcomes import Way

# Hosts that have a column each; of more the table says what they have in common.
_MOST_COLUMNS = 16


@dataclass(frozen=True, slots=True)
class _Cell:
    step: str
    started: float
    seconds: float
    ok: bool
    retried: bool


def print_report(timeline: Timeline, hosts: list[str], console: Console) -> None:
    """Print what has just been done: a row for each step, a column for each host, the totals."""
    if not timeline.spans:
        return
    columns: dict[str, list[_Cell]] = {host: [] for host in hosts}
    for span in timeline.spans:
        if span.host in columns:
            cell = _Cell(span.step, span.started, span.seconds, span.ok, span.retried)
            columns[span.host].append(cell)
    downtimes = [timeline.downtime(host) for host in hosts] if timeline.flips else []
    _print(console, columns, downtimes)
    _print_totals(console, timeline.total, timeline.activation, timeline.skew)
    _print_fetched(console, {host: timeline.fetched.get(host) for host in hosts})
    _print_quarantine(
        console, [(one.host, one.since, one.why) for one in timeline.quarantined.values()]
    )


def print_entry(entry: Entry, console: Console) -> None:
    """Print the same of an entry of the history."""
    columns = {
        host.name: [
            _Cell(step.name, step.started, step.seconds, step.ok, step.retried)
            for step in host.steps
        ]
        for host in entry.hosts
    }
    downtimes = [host.downtime_seconds for host in entry.hosts]
    if all(downtime is None for downtime in downtimes):
        downtimes = []
    _print(console, columns, downtimes)
    _print_totals(
        console, entry.ended - entry.started, entry.activation_seconds, entry.skew_seconds
    )
    _print_fetched(console, {host.name: host.fetched for host in entry.hosts})
    _print_quarantine(console, [(one.name, one.since, one.why) for one in entry.quarantined])


def report_json(timeline: Timeline, hosts: list[str]) -> dict[str, Any]:
    """Return the same as a JSON value; times in seconds, `started` since the epoch."""
    return {
        "started": timeline.started,
        "total_seconds": timeline.total,
        "activation_seconds": timeline.activation,
        "skew_seconds": timeline.skew,
        "quarantined": [
            {"name": one.host, "since": one.since, "why": one.why}
            for one in timeline.quarantined.values()
        ],
        "hosts": [
            {
                "name": host,
                "downtime_seconds": timeline.downtime(host),
                "fetched": timeline.fetched.get(host),
                "steps": [
                    {
                        "name": span.step,
                        "started": span.started,
                        "seconds": span.seconds,
                        "ok": span.ok,
                        "retried": span.retried,
                    }
                    for span in timeline.spans
                    if span.host == host
                ],
            }
            for host in hosts
        ],
    }


def _print(
    console: Console, columns: dict[str, list[_Cell]], downtimes: list[float | None]
) -> None:
    cells = sorted((c for column in columns.values() for c in column), key=lambda c: c.started)
    if not cells:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    table.add_column("step")
    if len(columns) > _MOST_COLUMNS:
        _add_summary(table, columns, cells, downtimes)
        console.print(table)
        return
    for host in columns:
        table.add_column(host, justify="right")
    for step in dict.fromkeys(cell.step for cell in cells):
        table.add_row(Text(step), *(_text(column, step) for column in columns.values()))
    if downtimes:
        table.add_section()
        table.add_row("potential downtime", *map(seconds, downtimes), style="bold")
    console.print(table)


def _add_summary(
    table: Table,
    columns: dict[str, list[_Cell]],
    cells: list[_Cell],
    downtimes: list[float | None],
) -> None:
    """Add what more hosts than there is room for have in common, and where they are apart."""
    for head in ("hosts", "failed", "fastest", "median", "slowest"):
        table.add_column(head, justify="right")
    table.add_column("slowest host")
    took: dict[str, dict[str, float]] = {cell.step: {} for cell in cells}
    failed: dict[str, set[str]] = {cell.step: set() for cell in cells}
    for host, column in columns.items():
        for cell in column:
            took[cell.step][host] = took[cell.step].get(host, 0.0) + cell.seconds
            if not (cell.ok or cell.retried):
                failed[cell.step].add(host)
    for step, of_hosts in took.items():
        table.add_row(Text(step), *_summed_up(of_hosts, len(failed[step])))
    down = {h: d for h, d in zip(columns, downtimes, strict=False) if d is not None}
    if down:
        table.add_section()
        table.add_row("potential downtime", *_summed_up(down, 0), style="bold")


def _summed_up(of_hosts: dict[str, float], failed: int) -> list[str]:
    values, slowest = list(of_hosts.values()), max(of_hosts, key=of_hosts.__getitem__)
    durations = (min(values), statistics.median(values), max(values))
    return [str(len(values)), str(failed or ""), *map(seconds, durations), slowest]


def _print_totals(
    console: Console, total: float, activation: float | None, skew: float | None
) -> None:
    parts = [f"total {seconds(total)}"]
    if activation is not None:
        parts.append(f"activation {seconds(activation)}")
    if skew is not None:
        parts.append(f"skew of the flips {skew * 1000:.0f} ms")
    console.print(", ".join(parts))


def _print_fetched(console: Console, hosts: Mapping[str, Mapping[Way, int] | None]) -> None:
    for line in fetched_lines(hosts):
        console.print(Text(line))


def _text(column: list[_Cell], step: str) -> str:
    cells = [cell for cell in column if cell.step == step]
    if not cells:
        return ""
    text = seconds(sum(cell.seconds for cell in cells))
    if retries := sum(cell.retried for cell in cells):
        text += f" ({retries + 1} tries)"
    return text if all(cell.ok or cell.retried for cell in cells) else f"FAILED {text}"


def _print_quarantine(console: Console, hosts: list[tuple[str, float, str]]) -> None:
    for name, since, why in hosts:
        console.print(Text(f"IN QUARANTINE: {name}, since {clock(since)}: {why}"))
    if hosts:
        console.print("castoff converge brings hosts in quarantine up to date once they answer")
