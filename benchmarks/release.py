#!/usr/bin/env python3
"""Release a one-line change of a Django application by Castoff and by other tools, in one run.

Needs root: each host has a network of its own, whose bytes are counted. See README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from release_work.contest import available, options_of
from release_work.ground import Ground, ground
from release_work.peers.ansible import Ansible
from release_work.peers.capistrano import Capistrano
from release_work.peers.fabric_tool import Fabric
from release_work.peers.ours import Castoff
from release_work.peers.peer import Peer
from release_work.peers.pyinfra_tool import Pyinfra
from release_work.peers.shell_rsync import Rsync
from release_work.project import Project
from release_work.sample import Failed, Failure, Sample, take
from release_work.tables import Results, hosts

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import size
from common.hosts import disk, kind, scratch
from common.plot import Panel, draw
from common.results import BENCHMARKS, put_section

PLOTS = BENCHMARKS / "plots"
PEERS: dict[str, Peer[Project]] = {
    "castoff": Castoff(),
    "rsync": Rsync(parallel=True),
    "rsync-loop": Rsync(parallel=False),
    "fabric": Fabric(),
    "capistrano": Capistrano(),
    "ansible": Ansible(),
    "pyinfra": Pyinfra(),
}
OURS = (PEERS["castoff"].name,)
_LONGEST_LOOP = 16
_LEGEND = """\
*First serves*: from the command's start until the first host serves the new version, with all
preparation in it; *spread*: from then until the last host does; both seen from outside. *Wire*:
bytes to and from one host. *CPU*, *memory*: of the controller. Medians of the runs, with the
lowest and highest total. The hosts share this machine's processors with the controller. *Failed
on 8 of 64*: as many hosts did not serve the version when the tool had ended; *not within*: when it
was ended. The loop takes as long as one host does, times their number, and is left out above 16."""


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("release.py needs root: each host is a network namespace whose bytes are counted")
    peers, absent = available(PEERS, options.tools)
    samples: list[Sample] = []
    failures: list[Failure] = []
    versions = [str(number) for number in range(1, options.repeat + 2)]
    with scratch() as folder:
        project = Project(folder, small=options.small)
        for version in versions:
            project.add(version)
        facts = _facts(project, versions[-1])
        for count in options.hosts:
            for peer in peers:
                if peer is PEERS["rsync-loop"] and count > _LONGEST_LOOP:
                    continue
                place = folder / f"{count}-{peer.name.replace(' ', '-')}"
                with ground(project, count, place, disk=disk(count)) as it:
                    try:
                        # What was measured before a failure is kept.
                        samples.extend(_one(it, peer, versions, options.limit))
                    except Failed as error:
                        failures.append(error.failure)
                        print(error, file=sys.stderr)
    results = Results(samples, failures, OURS[0])
    if options.json:
        options.json.write_text(results.as_json())
    text = report(results, facts, absent)
    print(text)
    if options.write:
        PLOTS.mkdir(exist_ok=True)
        draw(PLOTS / "release.svg", panels(results))
        put_section("release", text)


def report(results: Results, facts: str, absent: Sequence[str]) -> str:
    """Return the section of RESULTS.md."""
    parts = [
        "## Release of a one-line change, and rollback: `release.py`",
        f"{kind()}; {machine.describe()}.",
        facts,
        _LEGEND,
        *(f"Not measured: {reason}." for reason in absent),
        "![Total time, bytes and processor time, by number of hosts](plots/release.svg)",
    ]
    for count in results.counts:
        parts += [f"### {hosts(count)}", results.of_fleet("release", count)]
    parts += [
        "### Rollback: from the command to every host healthy",
        results.totals("rollback"),
        "### The first release, to hosts that have nothing",
        results.totals("first"),
    ]
    return "\n\n".join(parts) + "\n"


def panels(results: Results) -> list[Panel]:
    """Return the diagrams."""
    return [
        Panel("Total", "hosts", "seconds", results.lines("release", "total"), OURS),
        Panel(
            "Bytes to and from a host",
            "hosts",
            "kB",
            results.lines("release", "wire", 1000),
            OURS,
        ),
        Panel(
            "Processor time of the controller",
            "hosts",
            "seconds",
            results.lines("release", "cpu"),
            OURS,
        ),
    ]


def _one(
    it: Ground[Project], peer: Peer[Project], versions: Sequence[str], limit: float
) -> Iterator[Sample]:
    peer.set_up(it)
    for number, version in enumerate(versions):
        what = "first" if number == 0 else "release"
        yield take(it, peer, what, version, peer.release(it, version), limit=limit)
    back = peer.rollback(it, versions[-2])
    if back is not None:
        yield take(it, peer, "rollback", versions[-2], back, limit=limit)


def _facts(project: Project, version: str) -> str:
    whole, files = project.tree_size(version)
    archive = project.archive(version).stat().st_size
    return (
        f"A Django application of {files} files, {size(whole)}; as an archive {size(archive)}. "
        "Every tool brings the same finished tree, beside the release that is there, switches a "
        "link, reloads a stand-in for the application's server and waits until it is healthy."
    )


def _options() -> argparse.Namespace:
    more = "; 64 needs 20 GiB of free memory"
    parser = options_of(__doc__, PEERS, hosts=more, limit=180, small="without dependencies")
    parser.add_argument("--repeat", type=int, default=3, help="releases by each tool (default: 3)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
