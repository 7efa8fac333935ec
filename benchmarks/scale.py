#!/usr/bin/env python3
"""Release to 1 to 1,000 hosts from this machine: what each host costs the one that releases.

Real SSH servers as far as the machine carries them; beyond that fake ones. See README.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scale_work.ground import VERSIONS, Ground, fakes, real

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, seconds, size
from common.hosts import kind
from common.plot import Panel, draw
from common.results import BENCHMARKS, put_section, table
from common.usage import measure

CASTOFF = Path(sys.executable).with_name("castoff")
PLOTS = BENCHMARKS / "plots"
_WHAT = ("status", "prepare", "activate", "rollback")
_LEGEND = """\
Of an artifact of one small file, so that what is measured is the fan-out: *prepare* a version on
all hosts, *activate* it, roll back, and look by *status* what they serve. *Fake* hosts are threads
of a few processes on this machine: real SSH connections (asyncssh's), the real agent's code, a
folder each, and no process of their own. *Total*: of the whole command, from its start to its end.
*CPU* and *memory*: of the controller; a host's *CPU* is what
it adds to that of the fewest. *Skew*: from the first host's flip to the
last one's, as the controller saw their answers. Hosts and controller share the processors here."""


@dataclass(frozen=True)
class Sample:
    """One command on so many hosts; seconds, bytes.

    Attributes:
        skew: From the first flip to the last; None where nothing flips.
        activation: From the first flip to the last healthy host.
        threads: The most at once, of the controller.
    """

    what: str
    hosts: int
    fake: bool
    total: float
    cpu: float
    memory: int
    threads: int
    hosts_cpu: float
    skew: float | None
    activation: float | None


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    samples: list[Sample] = []
    absent: list[str] = []
    for count, fake in [*((n, False) for n in options.real), *((n, True) for n in options.fake)]:
        with fakes(count) if fake else real(count) as ground:
            try:
                samples += _all(ground, fake=fake, repeat=options.repeat)
            except RuntimeError as error:
                absent.append(f"{count} {'fake' if fake else 'real'} hosts")
                print(f"{absent[-1]}: {error}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps([asdict(sample) for sample in samples], indent=1))
    text = report(samples, absent)
    print(text)
    if options.write:
        PLOTS.mkdir(exist_ok=True)
        draw(PLOTS / "scale.svg", panels(samples))
        put_section("scale", text)


def report(samples: Sequence[Sample], absent: Sequence[str] = ()) -> str:
    """Return the section of RESULTS.md."""
    real_hosts = kind() if any(not sample.fake for sample in samples) else "no real hosts"
    parts = [
        "## From 1 to 1,000 hosts: `scale.py`",
        f"{real_hosts}; {machine.describe()}.",
        _LEGEND,
        *(f"Not measured, since a command failed: {what}." for what in absent),
        "![Time, processor time and memory, by number of hosts](plots/scale.svg)",
        *(part for what in _WHAT for part in (f"### `castoff {what}`", _table_of(samples, what))),
    ]
    return "\n\n".join(parts) + "\n"


def panels(samples: Sequence[Sample]) -> list[Panel]:
    """Return the diagrams."""

    def lines(
        field: str, scale: float, what: Sequence[str]
    ) -> dict[str, list[tuple[float, float]]]:
        return {
            f"{one}, {'fake' if fake else 'real'} hosts": [
                (count, _figure(samples, one, count, field, fake=fake).median / scale)
                for count in _counts(samples, fake=fake)
            ]
            for one in what
            for fake in (False, True)
            if _counts(samples, fake=fake)
        }

    both = ("prepare", "activate")
    return [
        Panel("Total", "hosts", "seconds", lines("total", 1, both), ()),
        Panel("Processor time of the controller", "hosts", "seconds", lines("cpu", 1, both), ()),
        Panel("Memory of the controller", "hosts", "MB", lines("memory", 1e6, both), ()),
        Panel("Skew of the flips", "hosts", "ms", lines("skew", 1e-3, ("activate",)), ()),
    ]


def _all(ground: Ground, *, fake: bool, repeat: int) -> list[Sample]:
    for version in VERSIONS:
        _run(ground, fake, "push", version)
    _run(ground, fake, "release", VERSIONS[0])
    samples = []
    for number in range(repeat):
        version = VERSIONS[1 + number % 2]
        samples += [
            _run(ground, fake, "prepare", version),
            _run(ground, fake, "activate", version),
            _run(ground, fake, "status"),
            _run(ground, fake, "rollback"),
        ]
    return samples


def _run(ground: Ground, fake: bool, what: str, *words: str) -> Sample:
    before = ground.hosts_cpu()
    argv = [str(CASTOFF), what, *words]
    log = ground.folder / "log"
    used = measure(argv, cwd=ground.folder, env=ground.environment, log=log)
    print(f"{ground.hosts} hosts, {what}: {used.seconds:.2f} s", file=sys.stderr)
    entry = _last_entry(ground) if what in ("activate", "rollback") else {}
    return Sample(
        what,
        ground.hosts,
        fake,
        used.seconds,
        used.cpu,
        used.memory,
        used.threads,
        ground.hosts_cpu() - before,
        entry.get("skew_seconds"),
        entry.get("activation_seconds"),
    )


def _last_entry(ground: Ground) -> dict[str, float]:
    done = subprocess.run(
        [str(CASTOFF), "history", "--json"],
        cwd=ground.folder,
        env=ground.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    entries: list[dict[str, float]] = json.loads(done.stdout)
    return max(entries, key=lambda entry: entry["number"])


def _table_of(samples: Sequence[Sample], what: str) -> str:
    flips = what in ("activate", "rollback")
    head = ["hosts", "total", "CPU", "CPU a host", "memory", "threads"]
    rows = []
    for fake in (False, True):
        for count in _counts(samples, fake=fake):
            fewest = _counts(samples, fake=fake)[0]
            least = _figure(samples, what, fewest, "cpu", fake=fake)
            total, cpu, memory, threads = (
                _figure(samples, what, count, field, fake=fake)
                for field in ("total", "cpu", "memory", "threads")
            )
            row = [
                f"{count}{', fake' if fake else ''}",
                f"{seconds(total.median)} ({total.low:.3g} … {total.high:.3g})",
                seconds(cpu.median),
                _of_each(cpu.median - least.median, count - fewest),
                size(memory.median),
                f"{threads.median:.0f}",
            ]
            if flips:
                for field in ("activation", "skew"):
                    figure = _figure(samples, what, count, field, fake=fake)
                    row.append(f"{figure.median * 1000:.0f} ms")
            rows.append(row)
    return table([*head, *(["activation", "skew"] if flips else [])], rows)


def _of_each(cpu: float, hosts: int) -> str:
    return f"{cpu / hosts * 1000:.1f} ms" if hosts else ""


def _counts(samples: Sequence[Sample], *, fake: bool) -> list[int]:
    return sorted({sample.hosts for sample in samples if sample.fake is fake})


def _figure(samples: Sequence[Sample], what: str, count: int, field: str, *, fake: bool) -> Figure:
    wanted = (what, count, fake)
    values = [getattr(s, field) for s in samples if (s.what, s.hosts, s.fake) == wanted]
    return Figure.of([0.0 if value is None else value for value in values])


def _options() -> argparse.Namespace:
    def counts(text: str) -> list[int]:
        return [int(word) for word in text.split(",") if word]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--real", type=counts, default=[1, 16], help="how many real hosts (default: 1,16)"
    )
    parser.add_argument(
        "--fake",
        type=counts,
        default=[1, 16, 100, 300, 1000],
        help="how many fake hosts (default: 1,16,100,300,1000)",
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default: 3)")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md and plots/")
    return parser.parse_args()


if __name__ == "__main__":
    main()
