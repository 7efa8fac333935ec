#!/usr/bin/env python3
"""Release to 1 to 16 hosts by the slides' five scripts and by Castoff, in one run.

Every step is executed over SSH, on a real server that is polled from outside all the while:
nothing is computed. See README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from slide_work.ours import OURS, Ours
from slide_work.scripts import NEW, SCRIPTS, Script, by_hand
from slide_work.ssh import Connections
from slide_work.stage import Stage, expect, first_release, stage

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.hosts import kind, scratch
from common.plot import Panel, draw
from common.results import BENCHMARKS, put_section, table
from common.watch import Watch

PLOT = BENCHMARKS / "plots" / "slides.svg"


@dataclass(frozen=True)
class Run:
    """One release by one strategy.

    Attributes:
        total: Seconds from the command's start to its end.
        activation: Seconds from the first host's failing to the last one's serving again.
        downtime: For each host, the seconds for which it did not serve.
        rounds: How many steps lie one behind the other, whatever runs at the same time; None
            where hosts do not wait for each other.
    """

    strategy: str
    hosts: int
    total: float
    activation: float
    downtime: dict[str, float]
    rounds: int | None


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    runs: list[Run] = []
    with scratch() as folder:
        ours = Ours(folder)
        for count in options.hosts:
            for run in _all_strategies(count, options.scale, folder, ours, options.only):
                runs.append(run)
                _say(run, options.scale)
    if options.json:
        options.json.write_text(json.dumps([asdict(run) for run in runs], indent=1))
    text = report(runs, options.scale)
    print(text)
    if options.write:
        PLOT.parent.mkdir(exist_ok=True)
        draw(PLOT, panels(runs, options.scale))
        put_section("slides", text)


def report(runs: list[Run], scale: float) -> str:
    """Return the section of RESULTS.md."""
    counts = sorted({run.hosts for run in runs})
    strategies = list(dict.fromkeys(run.strategy for run in runs))
    found = {(run.strategy, run.hosts): run for run in runs}
    head = ["strategy", *(f"{count} host{'s' * (count > 1)}" for count in counts)]

    def rows(cell: str) -> list[list[str]]:
        return [
            [name, *(_cell(found[name, count], cell, scale) for count in counts)]
            for name in strategies
        ]

    first, last = counts[0], counts[-1]
    growth = [
        [
            name,
            f"{found[name, last].total / found[name, first].total:.2f} x",
            f"{_worst(found[name, last]) / _worst(found[name, first]):.2f} x",
            str(found[name, first].rounds or "-"),
            str(found[name, last].rounds or "-"),
        ]
        for name in strategies
    ]
    return f"""## The slides' scripts and Castoff: `slides.py`

{kind()}; {machine.describe()}.

Seconds of the slides: what was measured, divided by the scale of {scale:g}. Downtimes are what a
poller saw from outside, exact to {_pause(scale) / scale:.2f} s. The work of Castoff itself and of
SSH is not scaled down: a real second of it shows as {1 / scale:.0f} s.

![Total time and downtime, by number of hosts](plots/slides.svg)

### Total

{table(head, rows("total"))}

### Activation: from the first host that fails to the last that serves again

{table(head, rows("activation"))}

### Downtime of a host: best … worst

{table(head, rows("downtime"))}

### What grows: {last} hosts against {first}

*Steps in a row* are steps that wait for each other.

{table(["strategy", "total", "worst downtime", f"steps in a row, {first}", f"{last}"], growth)}
"""


def panels(runs: list[Run], scale: float) -> list[Panel]:
    """Return the diagrams."""
    strategies = list(dict.fromkeys(run.strategy for run in runs))
    last = max(run.hosts for run in runs)

    def by_hosts(value: str) -> dict[str, list[tuple[float, float]]]:
        return {
            name: [
                (run.hosts, (run.total if value == "total" else _worst(run)) / scale)
                for run in runs
                if run.strategy == name
            ]
            for name in strategies
        }

    per_host = {
        run.strategy: [
            (number, seconds / scale) for number, seconds in enumerate(run.downtime.values(), 1)
        ]
        for run in runs
        if run.hosts == last
    }
    y = "seconds of the slides"
    return [
        Panel("Total", "hosts", y, by_hosts("total"), OURS),
        Panel("Worst downtime of a host", "hosts", y, by_hosts("worst"), OURS),
        Panel(f"Downtime of each of {last} hosts", "host", y, per_host, OURS, doubling=False),
    ]


def _all_strategies(
    count: int, scale: float, folder: Path, ours: Ours, only: list[str]
) -> Iterator[Run]:
    for name in filter(partial(_wanted, only), SCRIPTS):
        with stage(count, scale) as it, Connections(_new(folder)) as connections:
            first_release(it)
            act = Script(it, connections)
            with _watch(it) as watch:
                started = time.monotonic()
                SCRIPTS[name](act)
                total = time.monotonic() - started
            expect(it, NEW)
            rounds = None if SCRIPTS[name] is by_hand else _rounds(act.begun)
            yield _run(name, it, watch, total, rounds)
    for name in filter(partial(_wanted, only), OURS):
        with stage(count, scale) as it:
            ours.first_release(it, name)
            with _watch(it) as watch:
                started = time.monotonic()
                version = ours.release(name, scale)
                total = time.monotonic() - started
            expect(it, version)
            yield _run(name, it, watch, total, _rounds(ours.begun()))


def _wanted(only: list[str], name: str) -> bool:
    return not only or any(text in name for text in only)


def _watch(it: Stage) -> Watch:
    return Watch.of(it.hosts, it.ports, _pause(it.scale))


def _pause(scale: float) -> float:
    return max(0.01, scale / 2)


def _run(name: str, it: Stage, watch: Watch, total: float, rounds: int | None) -> Run:
    downtime = {host.name: watch.downtime(host.name) for host in it.hosts}
    return Run(name, len(it.hosts), total, watch.from_first_to_last(), downtime, rounds)


def _rounds(begun: list[tuple[float, str, str]]) -> int:
    """Count the runs of one step in the order in which steps began."""
    return len(list(groupby(name for _, _, name in sorted(begun))))


def _new(folder: Path) -> Path:
    path = folder / f"c{sum(1 for _ in folder.iterdir())}"
    path.mkdir()
    return path


def _worst(run: Run) -> float:
    return max(run.downtime.values())


def _cell(run: Run, what: str, scale: float) -> str:
    if what == "downtime":
        low, high = min(run.downtime.values()), _worst(run)
        return f"{low / scale:.0f} … {high / scale:.0f}" if run.hosts > 1 else f"{high / scale:.0f}"
    return f"{(run.total if what == 'total' else run.activation) / scale:.0f}"


def _say(run: Run, scale: float) -> None:
    print(
        f"{run.hosts:3} hosts  {run.strategy:34} total {run.total / scale:6.1f}  "
        f"activation {run.activation / scale:6.1f}  worst downtime {_worst(run) / scale:6.1f}",
        file=sys.stderr,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--hosts",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[1, 2, 4, 8, 16],
        help="how many, separated by commas (default: 1,2,4,8,16)",
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=0.1,
        help="seconds that stand for a second of the slides (default: 0.1)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="TEXT",
        help="only strategies with this in their name; may be given more than once",
    )
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md and plots/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
