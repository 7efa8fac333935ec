#!/usr/bin/env python3
"""Release a one-line change of a Django application by Castoff and by other tools, in one run.

Needs root: each host has a network of its own, whose bytes are counted. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from release_work.ground import Ground, ground
from release_work.peers.ansible import Ansible
from release_work.peers.capistrano import Capistrano
from release_work.peers.fabric_tool import Fabric
from release_work.peers.ours import Castoff
from release_work.peers.peer import Peer
from release_work.peers.pyinfra_tool import Pyinfra
from release_work.peers.shell_rsync import Rsync
from release_work.project import Project
from release_work.sample import Sample, take

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, seconds, size
from common.hosts import kind, scratch
from common.plot import Panel, draw
from common.results import BENCHMARKS, put_section, table
from common.tools import Unavailable

PLOTS = BENCHMARKS / "plots"
PEERS: dict[str, Peer] = {
    "castoff": Castoff(),
    "rsync": Rsync(parallel=True),
    "rsync-loop": Rsync(parallel=False),
    "fabric": Fabric(),
    "capistrano": Capistrano(),
    "ansible": Ansible(),
    "pyinfra": Pyinfra(),
}
OURS = (PEERS["castoff"].name,)
_DISK = "800m"
_LEGEND = """\
*First serves*: from the command's start until the first host serves the new version, with all
preparation in it; *spread*: from then until the last host does; both seen from outside. *Wire*:
bytes to and from one host. *CPU*, *memory*: of the controller. Medians of the runs, with the
lowest and highest total. The hosts share this machine's processors with the controller."""


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("release.py needs root: each host is a network namespace whose bytes are counted")
    peers, absent = _available(options.tools)
    samples: list[Sample] = []
    versions = [str(number) for number in range(1, options.repeat + 2)]
    with scratch() as folder:
        project = Project(folder, small=options.small)
        for version in versions:
            project.add(version)
        facts = _facts(project, versions[-1])
        for count in options.hosts:
            for peer in peers:
                place = folder / f"{count}-{peer.name.replace(' ', '-')}"
                with ground(project, count, place, disk=_DISK) as it:
                    try:
                        samples += _one(it, peer, versions)
                    except RuntimeError as error:
                        reason = str(error).splitlines()[0]
                        absent.append(f"{peer.name} on {count} hosts: {reason}")
                        print(f"{peer.name} failed: {error}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps([asdict(sample) for sample in samples], indent=1))
    text = report(samples, facts, absent)
    print(text)
    if options.write:
        PLOTS.mkdir(exist_ok=True)
        draw(PLOTS / "release.svg", panels(samples))
        put_section("release", text)


def report(samples: Sequence[Sample], facts: str, absent: Sequence[str]) -> str:
    """Return the section of RESULTS.md."""
    parts = [
        "## Release of a one-line change, and rollback: `release.py`",
        f"{kind()}; {machine.describe()}.",
        facts,
        _LEGEND,
        *(f"Not measured: {reason}." for reason in absent),
        "![Total time, bytes and processor time, by number of hosts](plots/release.svg)",
    ]
    for count in sorted({sample.hosts for sample in samples}):
        heading = f"{count} host{'s' * (count > 1)}"
        parts += [f"### {heading}", _table_of(samples, "release", count)]
    parts += [
        "### Rollback: from the command to every host healthy",
        _totals(samples, "rollback"),
        "### The first release, to hosts that have nothing",
        _totals(samples, "first"),
    ]
    return "\n\n".join(parts) + "\n"


def panels(samples: Sequence[Sample]) -> list[Panel]:
    """Return the diagrams."""
    releases = [sample for sample in samples if sample.what == "release"]

    def lines(field: str, scale: float = 1.0) -> dict[str, list[tuple[float, float]]]:
        return {
            tool: [
                (count, _median(samples, tool, "release", count, field) / scale)
                for count in sorted({one.hosts for one in releases if one.tool == tool})
            ]
            for tool in dict.fromkeys(sample.tool for sample in releases)
        }

    return [
        Panel("Total", "hosts", "seconds", lines("total"), OURS),
        Panel("Bytes to and from a host", "hosts", "kB", lines("wire", 1000), OURS),
        Panel("Processor time of the controller", "hosts", "seconds", lines("cpu"), OURS),
    ]


def _one(it: Ground, peer: Peer, versions: Sequence[str]) -> list[Sample]:
    peer.set_up(it)
    samples = []
    for number, version in enumerate(versions):
        what = "first" if number == 0 else "release"
        samples.append(take(it, peer, what, version, peer.release(it, version)))
    back = peer.rollback(it, versions[-2])
    if back is not None:
        samples.append(take(it, peer, "rollback", versions[-2], back))
    return samples


def _table_of(samples: Sequence[Sample], what: str, count: int) -> str:
    tools = dict.fromkeys(s.tool for s in samples if s.what == what and s.hosts == count)
    ours = _median(samples, OURS[0], what, count, "total") if OURS[0] in tools else None

    def row(tool: str) -> list[str]:
        median = {
            field: _median(samples, tool, what, count, field)
            for field in ("total", "prepared", "activation", "wire", "cpu", "memory")
        }
        low, high = _spread(samples, tool, what, count)
        return [
            tool,
            f"{seconds(median['total'])} ({low} … {high})",
            "" if ours is None else f"{median['total'] / ours:.2f} x",
            seconds(median["prepared"]),
            seconds(median["activation"]),
            size(median["wire"]),
            seconds(median["cpu"]),
            size(median["memory"]),
        ]

    head = ["tool", "total", "of ours", "first serves", "spread", "wire", "CPU", "memory"]
    return table(head, [row(tool) for tool in tools])


def _totals(samples: Sequence[Sample], what: str) -> str:
    counts = sorted({sample.hosts for sample in samples})
    tools = dict.fromkeys(sample.tool for sample in samples if sample.what == what)
    rows = [[tool, *(_total(samples, tool, what, count) for count in counts)] for tool in tools]
    return table(["tool", *(f"{count} host{'s' * (count > 1)}" for count in counts)], rows)


def _total(samples: Sequence[Sample], tool: str, what: str, count: int) -> str:
    if not any((s.tool, s.what, s.hosts) == (tool, what, count) for s in samples):
        return "-"
    return seconds(_median(samples, tool, what, count, "total"))


def _median(samples: Sequence[Sample], tool: str, what: str, count: int, field: str) -> float:
    return _figure(samples, tool, what, count, field).median


def _spread(samples: Sequence[Sample], tool: str, what: str, count: int) -> tuple[str, str]:
    figure = _figure(samples, tool, what, count, "total")
    return f"{figure.low:.3g}", f"{figure.high:.3g}"


def _figure(samples: Sequence[Sample], tool: str, what: str, count: int, field: str) -> Figure:
    wanted = (tool, what, count)
    return Figure.of([getattr(s, field) for s in samples if (s.tool, s.what, s.hosts) == wanted])


def _available(names: Sequence[str]) -> tuple[list[Peer], list[str]]:
    peers, absent = [], []
    for name in names:
        peer = PEERS[name]
        try:
            version = peer.get()
        except Unavailable as reason:
            absent.append(f"{peer.name}: {reason}")
            print(f"without {peer.name}: {reason}", file=sys.stderr)
        else:
            print(f"{peer.name}: {version}", file=sys.stderr)
            peers.append(peer)
    return peers, absent


def _facts(project: Project, version: str) -> str:
    whole, files = project.tree_size(version)
    archive = project.archive(version).stat().st_size
    return (
        f"A Django application of {files} files, {size(whole)}; as an archive {size(archive)}. "
        "Every tool brings the same finished tree, beside the release that is there, switches a "
        "link, reloads a stand-in for the application's server and waits until it is healthy."
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--hosts",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[1, 4, 16],
        help="how many, separated by commas (default: 1,4,16; 64 needs 20 GiB of memory)",
    )
    parser.add_argument(
        "--tools",
        type=_tools,
        default=list(PEERS),
        help=f"which, separated by commas (default: {','.join(PEERS)})",
    )
    parser.add_argument("--repeat", type=int, default=3, help="releases by each tool (default: 3)")
    parser.add_argument(
        "--small", action="store_true", help="without dependencies: only to see that it runs"
    )
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md and plots/")
    return parser.parse_args()


def _tools(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in PEERS:
            raise argparse.ArgumentTypeError(f"no tool {name!r}: {', '.join(PEERS)}")
    return names


if __name__ == "__main__":
    main()
