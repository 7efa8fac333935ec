#!/usr/bin/env python3
"""Release to a host that has nothing: Castoff against `curl | sha256sum | tar`, on one wire.

Needs root: the wire is a virtual cable whose rate is limited. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from release_work.ground import ground
from release_work.peers.bucket import FromBucket
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
from support import s3

VERSION = "1"
UNLIMITED = "unlimited"


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("first.py needs root: the host is a network namespace on a cable of limited rate")
    samples: dict[str, list[Sample]] = {}
    with scratch() as folder:
        project = Project(folder, small=options.small)
        project.add(VERSION)
        archive = project.archive(VERSION).stat().st_size
        (folder / "server").mkdir()
        with s3.seaweed(folder / "server") as endpoint:
            for rate in options.rates:
                samples[rate] = []
                for number in range(options.repeat):
                    place = folder / f"{rate}-{number}"
                    samples[rate] += _all(project, rate, endpoint, place)
    if options.json:
        rows = [{"rate": rate, **asdict(s)} for rate, found in samples.items() for s in found]
        options.json.write_text(json.dumps(rows, indent=1))
    text = report(samples, archive)
    print(text)
    if options.write:
        put_section("first", text)


def _all(project: Project, rate: str, endpoint: str, place: Path) -> list[Sample]:
    """Release once by each way, each to a host of its own."""
    found = []
    with ExitStack() as stack:
        peers: list[Peer] = [Castoff(), FromBucket(endpoint, VERSION, stack), Curl()]
        for number, peer in enumerate(peers):
            with ground(project, 1, Path(f"{place}-{number}")) as it:
                peer.set_up(it)
                if rate != UNLIMITED:
                    it.hosts[0].slow(rate)
                found.append(take(it, peer, "first", VERSION, peer.release(it, VERSION)))
    return found


def report(samples: dict[str, list[Sample]], archive: int) -> str:
    """Return the section of RESULTS.md."""
    rows = []
    for rate, found in samples.items():
        names = list(dict.fromkeys(one.tool for one in found))
        total = {name: _median([s.total for s in found if s.tool == name]) for name in names}
        wire = {name: _median([s.wire for s in found if s.tool == name]) for name in names}
        rows += [
            [
                rate,
                f"`{name}`".replace("|", chr(92) + "|") if name == Curl.name else name,
                seconds(total[name]),
                f"{total[name] / total[Curl.name]:.2f} x",
                size(wire[name]),
            ]
            for name in names
        ]
    columns = ["rate", "way", "total", "ratio", "wire"]
    return f"""## The first release to a host: `first.py`

{kind()}; {machine.describe()}.

An archive of {size(archive)}, to one host that has nothing, over a cable of limited rate; from the
command's start to its end, the host healthy. Castoff's store is a folder of the controller, so
that the archive goes over SSH; or a bucket (SeaweedFS) on the controller, from which the host
fetches by presigned URL, and which the controller asks some thirty times besides. `curl` has the
archive from a web server on the controller. *Wire*: whole frames, to and fro. Medians.

{table(columns, rows)}
"""


def _median(values: list[float]) -> float:
    return Figure.of(values).median


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
