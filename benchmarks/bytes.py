#!/usr/bin/env python3
"""Bring twenty consecutive releases to a host, by Castoff and five other ways; count the bytes.

Needs root: bytes are counted on the virtual cable of the host. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bytes_work.ground import Ground, ground
from bytes_work.ours import Castoff
from bytes_work.peers import Casync, Rsync, Whole, Zstd, Zsync
from bytes_work.series import RELEASES, Series
from bytes_work.ways import Way

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, size
from common.hosts import kind, scratch
from common.plot import Panel, draw
from common.results import BENCHMARKS, put_section, table
from common.tools import Unavailable, debian_tool
from support import s3

PLOT = BENCHMARKS / "plots" / "bytes.svg"
OURS = (
    Castoff("Castoff, patches", "patches", patches=None),
    Castoff("Castoff, ranges", "ranges", patches=0),
)
PEERS = (Zstd(), Casync(), Rsync(), Zsync(), Whole())


@dataclass(frozen=True)
class Sample:
    """One release by one way.

    Attributes:
        counted: Bytes of content that the way itself, or its server, counts.
        wire: Bytes on the host's cable, both ways, all included.
        bumped: How many dependencies have another version than in the release before.
    """

    way: str
    number: int
    counted: int
    wire: int
    bumped: int


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    if os.geteuid() != 0:
        sys.exit("bytes.py needs root: the host is a network namespace on a cable of its own")
    ways, tools, missing = _get()
    samples: list[Sample] = []
    with scratch() as folder:
        series = Series(folder, small=options.small, variables=_variables())
        with ground(series, folder) as it:
            for number in range(options.releases + 1):
                samples += _release(it, ways, number)
                if options.json:
                    rows = [asdict(sample) for sample in samples]
                    options.json.write_text(json.dumps(rows, indent=1))
            files = sum(1 for path in it.tree(options.releases).rglob("*") if path.is_file())
            archive = series.archive(options.releases).stat().st_size
            unpacked = it.tar(options.releases).stat().st_size
    about = f"{files:,} files, {size(unpacked)}, and {size(archive)} as an archive"
    text = report(samples, about, tools, missing)
    print(text)
    if options.write:
        PLOT.parent.mkdir(exist_ok=True)
        draw(PLOT, [panel(samples)])
        put_section("bytes", text)


def _variables() -> dict[str, str]:
    """Return what commands get: the bucket's key, and what uv has fetched before."""
    cache = os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))
    return {**s3.ENVIRONMENT, "UV_CACHE_DIR": cache}


def _get() -> tuple[list[Way], list[str], list[str]]:
    """Return the ways that can be had here, with their versions, and why others cannot."""
    ways: list[Way] = []
    tools, missing = [], []
    try:
        debian_tool("nginx", "nginx")
    except Unavailable as error:
        sys.exit(f"nginx cannot be had: {error}")
    for way in (*OURS, *PEERS):
        try:
            tools.append(f"{way.name}: {way.get()}")
        except Unavailable as error:
            missing.append(f"{way.name}: {error}")
        else:
            ways.append(way)
    return ways, tools, missing


def _release(it: Ground, ways: Sequence[Way], number: int) -> list[Sample]:
    """Build a release and bring it to the host in all ways; the first one counts for nobody."""
    bumped = it.series.build(number)
    _unpack(it, number)
    found = []
    for way in ways:
        way.publish(it, number)
        before = it.on_wire()
        counted = way.fetch(it, number)
        sample = Sample(way.name, number, counted, it.on_wire() - before, bumped)
        _check(it, way, number)
        print(
            f"{number:3} {sample.way:22} counted {size(counted):>8}  wire {size(sample.wire):>8}",
            file=sys.stderr,
        )
        found.append(sample)
    if number:
        shutil.rmtree(it.tree(number - 1))
        it.tar(number - 1).unlink()
        return found
    return []


def _unpack(it: Ground, number: int) -> None:
    with it.tar(number).open("wb") as tar:
        subprocess.run(["gzip", "-dc", str(it.series.archive(number))], check=True, stdout=tar)
    it.tree(number).mkdir()
    subprocess.run(["tar", "-xf", str(it.tar(number)), "-C", str(it.tree(number))], check=True)


def _check(it: Ground, way: Way, number: int) -> None:
    """See that the host has the release, file by file.

    Raises:
        RuntimeError: It has something else.
    """
    wanted, there = it.tree(number), it.host.path(way.tree(number))
    names = {path.name for path in wanted.iterdir()}
    if odd := names.symmetric_difference(path.name for path in there.iterdir()):
        raise RuntimeError(f"{way.name}, release {number}: only on one side: {sorted(odd)}")
    compare = ["diff", "--recursive", "--brief", "--no-dereference"]
    for name in sorted(names):
        # Castoff has a link to what releases share where the archive has a folder: the slash looks
        # through that one alone.
        end = "/" if (wanted / name).is_dir() else ""
        argv = [*compare, f"{wanted / name}{end}", f"{there / name}{end}"]
        done = subprocess.run(argv, check=False, capture_output=True, text=True)
        if done.returncode:
            said = (done.stdout + done.stderr)[:2000]
            raise RuntimeError(f"{way.name}, release {number}: {said}")


def report(
    samples: Sequence[Sample], about: str, tools: Sequence[str], missing: Sequence[str]
) -> str:
    """Return the section of RESULTS.md."""
    names = list(dict.fromkeys(sample.way for sample in samples))
    ours = names[0]
    last = max(sample.number for sample in samples)

    def values(name: str, value: str, keep: Callable[[Sample], bool] = bool) -> list[int]:
        return [getattr(one, value) for one in samples if one.way == name and keep(one)]

    def median(name: str, keep: Callable[[Sample], bool]) -> str:
        found = values(name, "wire", keep)
        return size(Figure.of(found).median) if found else "-"

    def row(name: str) -> list[str]:
        wire = values(name, "wire")
        return [
            name,
            size(sum(wire)),
            f"{sum(wire) / sum(values(ours, 'wire')):.2f} x",
            size(Figure.of(wire).median),
            median(name, lambda one: one.bumped == 0),
            median(name, lambda one: one.bumped > 0),
            size(max(wire)),
            size(sum(values(name, "counted"))),
        ]

    heads = ["", "sum", "sum / ours", "median", "no bump", "bumps", "most", "counted, sum"]
    each = []
    for number in range(1, last + 1):
        of_this = {one.way: one for one in samples if one.number == number}
        cells = [size(of_this[name].wire) for name in names]
        each.append([str(number), str(of_this[ours].bumped), *cells])
    absent = "".join(f"\nNot there: {reason}." for reason in missing)
    return f"""## Bytes on the wire of {last} consecutive releases: `bytes.py`

{kind()}; {machine.describe()}. {"; ".join(tools)}.

A Django application with its dependencies: {about}, at the end.
Two releases a week; every second one takes the dependencies that were newest on its Monday, all
change code, and every second one assets. The host has the release before, and ends with the same
files in all ways. Bytes are those on its cable, to and fro: SSH, manifests, requests and headers
included. *No bump* and *bumps* are the medians of releases without and with new dependencies.
*Counted* is the content alone: what Castoff's history says, what rsync says that it sent and
received, what the HTTP server gave out.
{absent}
![Bytes of each release](plots/bytes.svg)

{table(heads, map(row, names))}

### Each release

{table(["release", "bumps", *names], each)}
"""


def panel(samples: Sequence[Sample]) -> Panel:
    """Return the diagram."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for one in samples:
        lines.setdefault(one.way, []).append((one.number, one.wire / 1e6))
    return Panel(
        title="Bytes on the host's wire",
        x_label="release",
        y_label="MB",
        lines=lines,
        ours=[way.name for way in OURS],
        doubling=False,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--releases", type=int, default=RELEASES, help=f"how many (default: {RELEASES})"
    )
    parser.add_argument(
        "--small",
        action="store_true",
        help="without dependencies and built assets: only to see that it runs",
    )
    parser.add_argument("--json", type=Path, help="also write all figures to this file, so far")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and the plot")
    return parser.parse_args()


if __name__ == "__main__":
    main()
