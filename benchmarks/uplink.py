#!/usr/bin/env python3
"""Release where the wire is what is scarce: one slow host among others, many behind one line.

Needs root: wires are virtual cables and a bridge, whose rates are limited. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from release_work.peers.ours import Castoff
from release_work.peers.shell_rsync import Rsync
from release_work.project import Project
from uplink_work.behind import WITH, WITHOUT, Behind, behind_a_line
from uplink_work.plots import panels
from uplink_work.rates import rate
from uplink_work.report import report
from uplink_work.straggler import FIRST, OURS, WHAT, Straggler, with_a_slow_host

from common.environment import as_users_have_it, end_in_order
from common.hosts import scratch
from common.plot import draw
from common.results import BENCHMARKS, put_section
from support import s3

PLOTS = BENCHMARKS / "plots"


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("uplink.py needs root: hosts are network namespaces on wires of limited rates")
    stragglers: list[Straggler] = []
    behind: list[Behind] = []
    with scratch() as folder:
        project = Project(folder, small=options.small)
        for version in WHAT:
            project.add(version)
        archive, told = project.archive(FIRST).stat().st_size, project.table_size(FIRST)
        for number in range(options.repeat):
            for tool in (Castoff(OURS), Rsync(parallel=True, compress=True)):
                place = folder / f"slow-{number}-{tool.name.split()[0]}"
                stragglers += with_a_slow_host(project, tool, options, place)
        (folder / "server").mkdir()
        with s3.seaweed(folder / "server") as endpoint:
            for number in range(options.repeat):
                for way in (WITHOUT, WITH):
                    place = folder / f"{number}-{way.replace(' ', '-')}"
                    behind.append(behind_a_line(project, way, endpoint, options, place))
    if options.json:
        rows = [
            *({**asdict(one), "too_early": one.too_early} for one in stragglers),
            *map(asdict, behind),
        ]
        options.json.write_text(json.dumps(rows, indent=1))
    text = report(stragglers, behind, archive, told, options)
    print(text)
    if options.write:
        PLOTS.mkdir(exist_ok=True)
        draw(PLOTS / "uplink.svg", panels(stragglers, behind))
        put_section("uplink", text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=6, help="of which one is slow (default: 6)")
    parser.add_argument(
        "--rate", type=rate, default="20mbit", help="of the others (default: 20mbit)"
    )
    parser.add_argument("--site", type=int, default=16, help="hosts behind the line (default: 16)")
    parser.add_argument(
        "--uplink", type=rate, default="20mbit", help="the line's rate (default: 20mbit)"
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument(
        "--small", action="store_true", help="without dependencies: only to see that it runs"
    )
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md and plots/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
