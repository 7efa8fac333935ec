#!/usr/bin/env python3
"""Release where the wire is what is scarce: one slow host among others, many behind one line.

Needs root: wires are virtual cables and a bridge, whose rates are limited. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from release_work.ground import Ground, ground
from release_work.peers.ours import Castoff
from release_work.peers.shell_rsync import Rsync
from release_work.project import Project
from release_work.sample import take

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, seconds, size
from common.hosts import kind, scratch
from common.plot import Bars, Panel, draw
from common.results import BENCHMARKS, put_section, table
from common.tools import Unavailable
from common.usage import measure
from common.wire import Uplink
from support import s3
from support.forward import forwarded

PLOTS = BENCHMARKS / "plots"
FIRST, CHANGE = "1", "2"
WHAT = {FIRST: "first release", CHANGE: "one line changed"}
OURS = "Castoff"
WITHOUT, WITH = "without peers", "with peers"
_SLOWER = 10
_DISK = "400m"
_PEERS = "[environments.@.transfer]\npeers = {peers}\n"
_STORE = '[store]\nurl = "s3://{bucket}"\nendpoint_url = "{endpoint}"\n'


@dataclass(frozen=True)
class Straggler:
    """One release by one tool to a fleet of which the last host is slow; seconds from its start.

    Attributes:
        prepared: When each host had all of the new version.
        serves: When each host was first seen to serve it.
    """

    tool: str
    what: str
    prepared: dict[str, float]
    serves: dict[str, float]
    total: float

    @property
    def all_prepared(self) -> float:
        """When the last host had all of it."""
        return max(self.prepared.values())

    @property
    def mixed(self) -> float:
        """For how long some hosts served the new version and some the old one."""
        return max(self.serves.values()) - min(self.serves.values())

    @property
    def too_early(self) -> int:
        """How many hosts served the new version before all had it."""
        return sum(moment < self.all_prepared for moment in self.serves.values())


@dataclass(frozen=True)
class Behind:
    """One first release to a site behind one line; seconds from its start, bytes.

    Attributes:
        way: `with peers` or `without peers`.
        prepared: When each host had all of it.
        carried: What went over the line to the hosts, whole frames.
        fetched: What hosts fetched of the archive, by where they had it from.
    """

    way: str
    hosts: int
    prepared: dict[str, float]
    carried: int
    fetched: dict[str, int]
    total: float


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
                stragglers += _with_a_slow_host(project, tool, options, place)
        (folder / "server").mkdir()
        with s3.seaweed(folder / "server") as endpoint:
            for number in range(options.repeat):
                for way in (WITHOUT, WITH):
                    place = folder / f"{number}-{way.replace(' ', '-')}"
                    behind.append(_behind_a_line(project, way, endpoint, options, place))
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


def report(
    stragglers: Sequence[Straggler],
    behind: Sequence[Behind],
    archive: int,
    told: int,
    options: argparse.Namespace,
) -> str:
    """Return the section of RESULTS.md."""
    return f"""## Slow hosts and narrow lines: `uplink.py`

{kind()}; {machine.describe()}. Medians of {options.repeat} run(s). An archive of {size(archive)}.

![When hosts are prepared and serve; bytes and time behind one line](plots/uplink.svg)

### One host at a tenth of the others' rate

{options.hosts} hosts, each on a cable of {options.rate} of its own, the last one on one of a
tenth of that. *Prepared*: from the command's start until the host had all of the version, as
Castoff's history says, and as the script notes after rsync. *Serves*: until it was seen from
outside to serve it. *Two versions*: from the first host that serves the new one to the last.
*Too early*: hosts that served it before all had it. Castoff's store is a folder of the
controller, so the archive goes over SSH, as rsync's files do; both are compressed.

{_stragglers(stragglers)}

### {options.site} hosts behind one line of {options.uplink}

The first release, from a bucket beyond the line; between hosts nothing is limited. *Over the
line*: all that went to the hosts, whole frames, with SSH and with the file table of {size(told)},
which hosts fetch as they do the archive. *Beside one archive*: how many times its bytes that is.
*At the line's rate*: what those bytes take at the least; the rest is the work of
{options.site} hosts on this machine's processors, which real ones would not share.

{_behind(behind, archive, options)}
"""


def panels(stragglers: Sequence[Straggler], behind: Sequence[Behind]) -> list[Panel | Bars]:
    """Return the diagrams."""
    lines = {}
    for tool in _tools(stragglers):
        found = [one for one in stragglers if (one.tool, one.what) == (tool, WHAT[FIRST])]
        for moment in ("prepared", "serves"):
            lines[f"{tool}: {moment}"] = [
                (place + 1.0, statistics.median(getattr(one, moment)[host] for one in found))
                for place, host in enumerate(found[0].prepared)
            ]
    ways = list(dict.fromkeys(one.way for one in behind))

    def bars(value: Callable[[Behind], float]) -> dict[str, float]:
        return {way: _median([value(one) for one in behind if one.way == way]) for way in ways}

    ours = [name for name in lines if name.startswith(OURS)]
    return [
        Panel(
            "A first release; the last host is slow",
            "host",
            "seconds from the start",
            lines,
            ours,
            log=False,
            doubling=False,
        ),
        Bars("Over the site's line", "MB", bars(lambda one: one.carried / 1e6), [WITH]),
        Bars(
            "Until all its hosts are prepared",
            "seconds",
            bars(lambda one: max(one.prepared.values())),
            [WITH],
        ),
    ]


def _with_a_slow_host(
    project: Project, tool: Castoff | Rsync, options: argparse.Namespace, place: Path
) -> list[Straggler]:
    try:
        tool.get()
    except Unavailable as error:
        sys.exit(f"{tool.name} cannot be had: {error}")
    found = []
    with ground(project, options.hosts, place, disk=_DISK) as it:
        tool.set_up(it)
        *others, slow = it.hosts
        for host in others:
            host.slow(options.rate)
        slow.slow(_tenth(options.rate))
        for version, what in WHAT.items():
            began = time.time()
            start = time.monotonic()
            sample = take(it, tool, what, version, tool.release(it, version))
            # The tool's own moments are of the clock on the wall.
            offset = began + sample.started - start
            prepared = {name: at - offset for name, at in tool.prepared(it).items()}
            found.append(Straggler(tool.name, what, prepared, sample.serves, sample.total))
    return found


def _behind_a_line(
    project: Project, way: str, endpoint: str, options: argparse.Namespace, place: Path
) -> Behind:
    with ground(project, options.site, place, disk=_DISK) as it:
        port = urlsplit(endpoint).port or 80
        with forwarded(it.fleet.gateway, port) as here:
            store = _STORE.format(
                bucket=s3.make_bucket(endpoint), endpoint=f"http://{it.fleet.gateway}:{here}"
            )
            transfer = _PEERS.format(peers=json.dumps(way == WITH))
            project.site.variables.update(s3.ENVIRONMENT)
            ours = Castoff(
                of_each_host='zone = "site"', more=store + transfer, variables=s3.ENVIRONMENT
            )
            ours.set_up(it)
            project.castoff("push", FIRST)
            return _released(it, ours, way, options)


def _released(it: Ground, ours: Castoff, way: str, options: argparse.Namespace) -> Behind:
    uplink = Uplink.of(it.hosts[0])
    uplink.slow(options.uplink)
    command = ours.release(it, FIRST)
    before = uplink.carried()
    began = time.time()
    used = measure(
        command.argv, cwd=command.cwd, env=command.env(it.folder), log=it.folder / "release.log"
    )
    carried = uplink.carried() - before
    it.wait(FIRST)
    fetched: dict[str, int] = {}
    for host in ours.last(it)["hosts"]:
        for source, count in (host["fetched"] or {}).items():
            fetched[source] = fetched.get(source, 0) + count
    prepared = {name: at - began for name, at in ours.prepared(it).items()}
    found = Behind(way, len(it.hosts), prepared, carried, fetched, used.seconds)
    print(
        f"{found.hosts} hosts {way}: {size(carried)} over the line, all prepared after "
        f"{seconds(max(prepared.values()))}, total {seconds(used.seconds)}",
        file=sys.stderr,
    )
    return found


def _stragglers(samples: Sequence[Straggler]) -> str:
    head = [
        "release",
        "tool",
        "prepared, others",
        "slow host",
        "first serves",
        "last serves",
        "two versions",
        "too early",
        "total",
        "of ours",
    ]
    rows = []
    for what in WHAT.values():
        for tool in _tools(samples):
            found = [one for one in samples if (one.tool, one.what) == (tool, what)]
            slow = list(found[0].prepared)[-1]
            ours = [one.total for one in samples if (one.tool, one.what) == (OURS, what)]
            total = Figure.of([one.total for one in found])
            others = [at for one in found for name, at in one.prepared.items() if name != slow]
            rows.append(
                [
                    what,
                    tool,
                    f"{seconds(min(others))} … {seconds(max(others))}",
                    seconds(_median([one.prepared[slow] for one in found])),
                    seconds(_median([min(one.serves.values()) for one in found])),
                    seconds(_median([max(one.serves.values()) for one in found])),
                    seconds(_median([one.mixed for one in found])),
                    f"{max(one.too_early for one in found)} of {len(found[0].serves)}",
                    seconds(total.median),
                    f"{total.median / _median(ours):.2f} x",
                ]
            )
    return table(head, rows)


def _behind(samples: Sequence[Behind], archive: int, options: argparse.Namespace) -> str:
    head = [
        "",
        "over the line",
        "beside one archive",
        "at the line's rate",
        "first prepared",
        "all prepared",
        "total",
        "from peers",
    ]
    rows = []
    medians: dict[str, tuple[float, float]] = {}
    for way in dict.fromkeys(one.way for one in samples):
        found = [one for one in samples if one.way == way]
        carried = _median([one.carried for one in found])
        ready = _median([max(one.prepared.values()) for one in found])
        medians[way] = carried, ready
        rows.append(
            [
                way,
                size(carried),
                f"{carried / archive:.2f} x",
                seconds(carried * 8 / _bits(options.uplink)),
                seconds(_median([min(one.prepared.values()) for one in found])),
                seconds(ready),
                seconds(_median([one.total for one in found])),
                size(_median([one.fetched.get("peer", 0) for one in found])),
            ]
        )
    (many, long), (few, short) = medians[WITHOUT], medians[WITH]
    return (
        f"{table(head, rows)}\n\nWith peers {many / few:.1f} times fewer bytes come over the line, "
        f"and all hosts are prepared {long / short:.1f} times sooner."
    )


def _tools(samples: Sequence[Straggler]) -> list[str]:
    return list(dict.fromkeys(one.tool for one in samples))


def _median(values: Sequence[float]) -> float:
    return Figure.of(values).median


def _bits(rate: str) -> int:
    return int(rate.removesuffix("mbit")) * 1_000_000


def _tenth(rate: str) -> str:
    return f"{_bits(rate) // _SLOWER // 1000}kbit"


def _rate(text: str) -> str:
    if not (text.endswith("mbit") and text.removesuffix("mbit").isdigit()):
        raise argparse.ArgumentTypeError("a whole number of megabits a second, as in 50mbit")
    return text


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=6, help="of which one is slow (default: 6)")
    parser.add_argument(
        "--rate", type=_rate, default="20mbit", help="of the others (default: 20mbit)"
    )
    parser.add_argument("--site", type=int, default=16, help="hosts behind the line (default: 16)")
    parser.add_argument(
        "--uplink", type=_rate, default="20mbit", help="the line's rate (default: 20mbit)"
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
