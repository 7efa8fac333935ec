#!/usr/bin/env python3
"""Release to a host that has nothing: Castoff against `curl | sha256sum | tar`, on one wire.

Needs root: the wire is a virtual cable whose rate is limited. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from release_work.ground import ground
from release_work.peers.curl import Curl
from release_work.peers.ours import Castoff
from release_work.peers.peer import Peer
from release_work.project import Project
from release_work.sample import Sample, take

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, seconds, size
from common.hosts import kind, scratch
from common.results import put_section, table

VERSION = "1"
UNLIMITED = "unlimited"


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("first.py needs root: the host is a network namespace on a cable of limited rate")
    peers: tuple[Peer, ...] = (Castoff(), Curl())
    samples: dict[str, list[Sample]] = {}
    with scratch() as folder:
        project = Project(folder, small=options.small)
        project.add(VERSION)
        archive = project.archive(VERSION).stat().st_size
        for rate in options.rates:
            samples[rate] = []
            for number in range(options.repeat):
                for peer in peers:
                    place = folder / f"{rate}-{number}-{peer.name.split()[0]}"
                    with ground(project, 1, place) as it:
                        if rate != UNLIMITED:
                            it.hosts[0].slow(rate)
                        peer.set_up(it)
                        command = peer.release(it, VERSION)
                        samples[rate].append(take(it, peer, "first", VERSION, command))
    if options.json:
        rows = [{"rate": rate, **asdict(s)} for rate, found in samples.items() for s in found]
        options.json.write_text(json.dumps(rows, indent=1))
    text = report(samples, archive, peers)
    print(text)
    if options.write:
        put_section("first", text)


def report(samples: dict[str, list[Sample]], archive: int, peers: Sequence[Peer]) -> str:
    """Return the section of RESULTS.md."""
    ours, theirs = (peer.name for peer in peers)
    rows = []
    for rate, found in samples.items():
        total = {
            name: Figure.of([one.total for one in found if one.tool == name]).median
            for name in (ours, theirs)
        }
        wire = {
            name: Figure.of([one.wire for one in found if one.tool == name]).median
            for name in (ours, theirs)
        }
        rows.append(
            [
                rate,
                seconds(total[ours]),
                seconds(total[theirs]),
                f"{total[ours] / total[theirs]:.2f} x",
                size(wire[ours]),
                size(wire[theirs]),
            ]
        )
    shown = f"`{theirs}`".replace("|", chr(92) + "|")
    columns = ["rate", ours, shown, "ratio", "wire of ours", "of theirs"]
    return f"""## The first release to a host: `first.py`

{kind()}; {machine.describe()}.

An archive of {size(archive)}, to one host that has nothing, over a cable of limited rate; from the
command's start to its end, the host healthy. Castoff's store is a folder of the controller, so the
archive goes over SSH; `curl` has it from a web server on the controller. *Wire*: whole frames, to
and fro. Medians.

{table(columns, rows)}
"""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rates",
        type=lambda text: text.split(","),
        default=["20mbit", "100mbit", UNLIMITED],
        help="in words of tc(8), separated by commas (default: 20mbit,100mbit,unlimited)",
    )
    parser.add_argument("--repeat", type=int, default=3, help="releases by each (default: 3)")
    parser.add_argument(
        "--small", action="store_true", help="without dependencies: only to see that it runs"
    )
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
