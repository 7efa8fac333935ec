#!/usr/bin/env python3
"""Release to the hosts of some zones, each by a connection of its own and by a relay a zone.

The first host of each zone is a real SSH server; the others are fake ones. See README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from relays_work.ground import VERSIONS, WAYS, Ground, zoned

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, seconds, size
from common.results import put_section, table
from common.usage import measure

CASTOFF = Path(sys.executable).with_name("castoff")
_WHAT = ("first prepare", "prepare", "activate", "status")
_LEGEND = """\
Of an artifact of one small file, so that what is measured is the fan-out. *Direct*: a connection
to each host. *Relayed*: one to the first host of each zone, `fan_out.relay = "zone"`. Both in
turn, in one run. The first host of each zone is an OpenSSH server, which runs the relay and its
`ssh` clients; the others are threads of a few processes, with asyncssh's connections and the real
agent's code. In the *first prepare* no host has the agent. *CPU*, *memory* (PSS), *threads* and
*sockets* are the controller's alone; *total* is the whole command's, with all hosts and relays on
the controller's own processors, which those of real sites would not share. At its start Castoff
tries for a moment whether all threads may be had that direct connections would take; where a look
fell into that moment, it is in the figure of either way."""


@dataclass(frozen=True)
class Sample:
    """One command by one way; seconds, bytes."""

    way: str
    what: str
    total: float
    cpu: float
    memory: int
    threads: int
    sockets: int


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    with zoned(options.hosts, options.zones) as ground:
        samples = _all(ground, options.repeat)
    if options.json:
        options.json.write_text(json.dumps([asdict(sample) for sample in samples], indent=1))
    text = report(samples, options.hosts, options.zones)
    print(text)
    if options.write:
        put_section("relays", text)


def report(samples: Sequence[Sample], hosts: int, zones: int) -> str:
    """Return the section of RESULTS.md."""
    rows = []
    for what in _WHAT:
        for way in WAYS:
            mine = [one for one in samples if (one.way, one.what) == (way, what)]
            total, cpu, memory, threads, sockets = (
                Figure.of([getattr(one, field) for one in mine])
                for field in ("total", "cpu", "memory", "threads", "sockets")
            )
            rows.append(
                [
                    f"{what}, {way}",
                    f"{seconds(total.median)} ({total.low:.3g} … {total.high:.3g})",
                    f"{seconds(cpu.median)} ({cpu.low:.3g} … {cpu.high:.3g})",
                    size(memory.median),
                    f"{threads.median:.0f}",
                    f"{sockets.median:.0f}",
                ]
            )
    parts = [
        "## One connection a zone: `relays.py`",
        f"{hosts} hosts in {zones} zones; {machine.describe()}.",
        _LEGEND,
        table(["", "total", "CPU", "memory", "threads", "sockets"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def _all(ground: Ground, repeat: int) -> list[Sample]:
    for version in VERSIONS:
        _run(ground, "direct", "push", "push", version)
    samples = [
        _run(ground, way, "first prepare", "prepare", VERSIONS[0], "--env", way) for way in WAYS
    ]
    for way in WAYS:
        _run(ground, way, "release", "release", VERSIONS[0], "--env", way)
    for number in range(repeat):
        version = VERSIONS[1 + number % 2]
        for what, words in (
            ("prepare", ("prepare", version)),
            ("activate", ("activate", version)),
            ("status", ("status",)),
        ):
            # In turn, and each of them first as often as the other.
            ways = list(WAYS)[:: 1 if number % 2 else -1]
            samples += [_run(ground, way, what, *words, "--env", way) for way in ways]
        for way in WAYS:
            _run(ground, way, "release", "release", VERSIONS[0], "--env", way)
    return samples


def _run(ground: Ground, way: str, what: str, *words: str) -> Sample:
    used = measure(
        [str(CASTOFF), *words],
        cwd=ground.folder,
        env=ground.environment,
        log=ground.folder / "log",
    )
    print(f"{what}, {way}: {used.seconds:.2f} s, CPU {used.cpu:.2f} s", file=sys.stderr)
    return Sample(way, what, used.seconds, used.cpu, used.memory, used.threads, used.sockets)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=100, help="how many hosts (default: 100)")
    parser.add_argument("--zones", type=int, default=4, help="in how many zones (default: 4)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
