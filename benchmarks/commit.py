#!/usr/bin/env python3
"""From a commit to hosts that serve it: by Castoff with its build, by others as they are told to.

Needs root: each host has a network of its own, whose bytes are counted. See README.md.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from commit_work import changes
from commit_work.application import BUMPS, LOCK, PACKAGES, SMALL_LOCK, Application
from commit_work.check import missing
from commit_work.index import make_index, served
from commit_work.peers.ansible import Ansible
from commit_work.peers.capistrano import Capistrano
from commit_work.peers.fabric_tool import Fabric
from commit_work.peers.loop import Loop
from commit_work.peers.ours import AS_GATHERED, WITH_ITS_PIPELINE, Castoff
from commit_work.peers.pyinfra_tool import Pyinfra
from release_work.contest import available, options_of
from release_work.ground import Ground, ground
from release_work.peers.peer import Peer
from release_work.repository import Repository
from release_work.sample import Failed, Failure, Sample, take
from release_work.tables import Results, hosts

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.hosts import disk, kind, scratch
from common.plot import Panel, draw
from common.results import BENCHMARKS, put_section
from common.tools import Unavailable

PLOTS = BENCHMARKS / "plots"
PEERS: dict[str, Peer[Repository]] = {
    "castoff": Castoff("Castoff", AS_GATHERED),
    "castoff-assets": Castoff("Castoff, assets made small", WITH_ITS_PIPELINE),
    "loop": Loop(),
    "fabric": Fabric(),
    "capistrano": Capistrano(),
    "ansible": Ansible(),
    "pyinfra": Pyinfra(),
}
OURS = (PEERS["castoff"].name, PEERS["castoff-assets"].name)
# Seconds between two looks at a host.
_PAUSE = 0.2
_CHANGES = {
    changes.LINE: "One line of code",
    changes.BUMP: "A new release of Django, and one line",
    changes.FIRST: "The first deployment, to hosts that have nothing",
}
_PIP = """[global]
index-url = {url}
trusted-host = {host}
extra-index-url =
find-links =
disable-pip-version-check = true
"""
_APPLICATION = f"""\
A Django application of a dozen apps with {len(PACKAGES)} dependencies. Others install them into one
virtual environment a host, which all releases use, and gather static files in each release; Castoff
does both once, in its build. All migrate once."""
_LEGEND = """\
*Total*: from the first command after `git push` to the end of the last, all hosts healthy; that of
Castoff is `castoff build`, `castoff push` and `castoff release`. *First serves*, *spread*, *wire*,
*CPU* and *memory* as in `release.py`; *CPU* and *memory* are of the controller, on which Castoff
builds. Medians of the runs, with the lowest and highest total. Hosts share this machine's
processors with the controller: what others do on each host is done here by the same two for all."""


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("commit.py needs root: each host is a network namespace whose bytes are counted")
    versions, absent = available(PEERS, options.tools)
    samples: list[Sample] = []
    failures: list[Failure] = []
    lock = SMALL_LOCK if options.small else LOCK
    with scratch() as folder:
        try:
            index = make_index(folder / "index", [lock, *BUMPS[: options.repeat]])
        except Unavailable as error:
            sys.exit(f"the application's dependencies cannot be had: {error}")
        for count in options.hosts:
            for peer in versions:
                try:
                    samples.extend(_fleet(peer, count, folder, index, options))
                except Failed as error:
                    failures.append(error.failure)
                    print(error, file=sys.stderr)
    results = Results(samples, failures, OURS[0])
    if options.json:
        options.json.write_text(results.as_json())
    text = report(results, versions, absent)
    print(text)
    if options.write:
        PLOTS.mkdir(exist_ok=True)
        draw(PLOTS / "commit.svg", panels(results))
        put_section("commit", text)


def report(
    results: Results, versions: Mapping[Peer[Repository], str], absent: Sequence[str]
) -> str:
    """Return the section of RESULTS.md."""
    tools = ", ".join(f"{peer.name} ({version})" for peer, version in versions.items())
    parts = [
        "## From a commit to serving it: `commit.py`",
        f"{kind()}; {machine.describe()}. {tools}.",
        _APPLICATION,
        _LEGEND,
        *(f"Not measured: {reason}." for reason in absent),
        "![Time from a commit to all hosts, and bytes, by number of hosts](plots/commit.svg)",
    ]
    for what, heading in _CHANGES.items():
        for count in results.counts:
            parts += [f"### {heading}: {hosts(count)}", results.of_fleet(what, count)]
    return "\n\n".join(parts) + "\n"


def panels(results: Results) -> list[Panel]:
    """Return the diagrams."""
    return [
        Panel("One line of code", "hosts", "seconds", results.lines(changes.LINE, "total"), OURS),
        Panel("A new Django", "hosts", "seconds", results.lines(changes.BUMP, "total"), OURS),
        Panel(
            "Bytes to and from a host, new Django",
            "hosts",
            "kB",
            results.lines(changes.BUMP, "wire", 1000),
            OURS,
        ),
    ]


def _fleet(
    peer: Peer[Repository], count: int, folder: Path, index: Path, options: argparse.Namespace
) -> Iterator[Sample]:
    """Yield what a tool took for each change on a fleet of its own."""
    name = f"{count}-{peer.name.partition(' ')[0]}-{len(list(folder.iterdir()))}"
    assets = peer.assets if isinstance(peer, Castoff) else ""
    application = Application(folder / f"{name}-project", small=options.small, assets=assets)
    with (
        ground(application, count, folder / name, disk=disk(count)) as it,
        served(index, it.fleet.gateway) as url,
    ):
        _ask_our_index(it, url)
        peer.set_up(it)
        for change in changes.series(options.repeat):
            application.publish(change)
            command = peer.release(it, change.version)
            sample = take(
                it, peer, change.what, change.version, command, limit=options.limit, pause=_PAUSE
            )
            if wrong := missing(it, change):
                raise Failed(Failure(peer.name, change.what, count, f"failed: {wrong}"))
            yield sample


def _ask_our_index(it: Ground[Application], url: str) -> None:
    it.project.site.variables["UV_DEFAULT_INDEX"] = url
    text = _PIP.format(url=url, host=it.fleet.gateway)
    for host in it.hosts:
        host.run(
            f"mkdir -p ~/.config/pip; printf %s '{text}' >~/.config/pip/pip.conf; "
            f"mkdir -p {it.app(host)}"
        )


def _options() -> argparse.Namespace:
    parser = options_of(__doc__, PEERS, hosts="", limit=600, small="nothing but Django")
    parser.add_argument(
        "--repeat",
        type=int,
        choices=range(1, len(BUMPS) + 1),
        default=3,
        help="changes of each kind (default: 3)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
