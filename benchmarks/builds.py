#!/usr/bin/env python3
"""Build one Django application with Castoff and its peers, in one run: see README.md."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from build_project.contenders import Contender, commit, contenders, fetch_wheels
from build_project.generate import HERE, change_asset, change_code, write_project

from common import machine
from common.figures import Figure, seconds, size
from common.hosts import scratch
from common.plot import Bars, draw
from common.results import BENCHMARKS, put_section, table
from common.tools import Unavailable
from common.usage import measure

PLOT = BENCHMARKS / "plots" / "builds.svg"
LOCK = HERE / "requirements.txt"

# What is done to the project before each build; the first finds nothing kept.
SCENARIOS: dict[str, Callable[[Path, int], None] | None] = {
    "cold": None,
    "warm": None,
    "one line of code": change_code,
    "one stylesheet": change_asset,
}


@dataclass(frozen=True)
class Build:
    """One build; bytes and seconds."""

    contender: str
    scenario: str
    seconds: float
    cpu: float
    memory: int
    size: int


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    taking_part, missing = contenders()
    if options.only:
        taking_part = [one for one in taking_part if one.name in options.only]
    builds: list[Build] = []
    with scratch() as folder:
        wheels = folder / "wheels"
        try:
            fetch_wheels(LOCK, wheels)
        except Unavailable as error:
            sys.exit(f"the project's dependencies cannot be had: {error}")
        for turn in range(options.rounds):
            # Nobody is always first or last.
            first = turn % len(taking_part)
            for one in (*taking_part[first:], *taking_part[:first]):
                builds += _builds(one, folder, wheels, turn)
    if options.json:
        options.json.write_text(json.dumps([asdict(build) for build in builds], indent=1))
    where = machine.file_system(Path(tempfile.gettempdir()))
    text = report(builds, taking_part, missing, options.rounds, where)
    print(text)
    if options.write:
        PLOT.parent.mkdir(exist_ok=True)
        draw(PLOT, panels(builds, taking_part))
        put_section("builds", text)


def _builds(one: Contender, folder: Path, wheels: Path, turn: int) -> list[Build]:
    """Build in all scenarios, in a place that starts empty."""
    place = folder / "place"
    shutil.rmtree(place, ignore_errors=True)
    project, state = place / "project", place / "state"
    for path in (project, state / "home", state / "tmp"):
        path.mkdir(parents=True)
    write_project(project, with_assets=one.with_assets)
    (project / ".gitignore").write_text("artifacts/\nbuild/\n")
    commit(project)
    found = []
    for name, change in SCENARIOS.items():
        if change is not None:
            change(project, turn)
            commit(project)
        environment = one.environment(state, wheels)
        used = measure(["sh", "-c", one.script], cwd=project, env=environment, log=place / "log")
        built = Build(one.name, name, used.seconds, used.cpu, used.memory, _size(project, state))
        print(f"{one.name}, {name}: {built.seconds:.1f} s, {built.cpu:.1f} s CPU", file=sys.stderr)
        found.append(built)
    return found


def _size(project: Path, state: Path) -> int:
    archives = [*project.glob("artifacts/*.tar.gz"), *state.glob("output")]
    return archives[0].stat().st_size


def report(
    builds: Sequence[Build],
    taking_part: Sequence[Contender],
    missing: Sequence[str],
    rounds: int,
    file_system: str,
) -> str:
    """Return the section of RESULTS.md."""
    names = [one.name for one in taking_part]

    def figure(name: str, scenario: str, value: str) -> Figure:
        return Figure.of(
            [
                getattr(build, value)
                for build in builds
                if (build.contender, build.scenario) == (name, scenario)
            ]
        )

    def medians(value: str, write: Callable[[float], str]) -> str:
        rows = [
            [name, *(write(figure(name, scenario, value).median) for scenario in SCENARIOS)]
            for name in names
        ]
        return table(["", *SCENARIOS], rows)

    def ratios(value: str) -> str:
        rows = []
        for one in taking_part:
            if one.ours:
                continue
            cells = [
                f"{figure(one.name, s, value).median / figure(names[0], s, value).median:.1f} x"
                for s in SCENARIOS
            ]
            rows.append([one.name, *cells])
        return table([f"{names[0]} is faster than", *SCENARIOS], rows)

    absent = "".join(f"\nNot there: {reason}." for reason in missing)
    return f"""## Building a Django application: `builds.py`

{machine.describe()}. Medians of {rounds} rounds; all files lie on {file_system}.

72 dependencies, 174 Python files, 61 stylesheets and 37 scripts of the project's own. All wheels
lie in a folder of this machine, so nobody waits for an index; *cold* begins with empty caches of
all tools, *warm* builds the same commit again, the others after one changed line. `castoff`, `shiv
--compile-pyc`, `pex --compile` and `pip + tar` put byte code into the archive; plain `shiv` and
`pex` do not. Only `castoff with assets` compiles, minifies, fingerprints and compresses the
stylesheets and scripts, with those of Django and its apps; the others carry their sources.
{absent}
![Seconds of each build](plots/builds.svg)

### Seconds

{medians("seconds", seconds)}

{ratios("seconds")}

### Seconds of processor time

{medians("cpu", seconds)}

{ratios("cpu")}

### Memory at its highest

{medians("memory", size)}

### Size of the archive

{medians("size", size)}
"""


def panels(builds: Sequence[Build], taking_part: Sequence[Contender]) -> list[Bars]:
    """Return the diagrams."""
    ours = [one.name for one in taking_part if one.ours]
    return [
        Bars(
            title=scenario,
            x_label="seconds",
            values={
                one.name: Figure.of(
                    [
                        build.seconds
                        for build in builds
                        if (build.contender, build.scenario) == (one.name, scenario)
                    ]
                ).median
                for one in taking_part
            },
            ours=ours,
        )
        for scenario in ("cold", "one line of code")
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often all is built")
    parser.add_argument("--only", action="append", help="a contender by name, again for more")
    parser.add_argument("--json", type=Path, help="write each single figure to this file")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and the plot")
    return parser.parse_args()


if __name__ == "__main__":
    main()
