"""The section of RESULTS.md."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from common import machine
from common.figures import Figure, seconds, size
from common.hosts import kind
from common.results import table
from uplink_work.behind import WITH, WITHOUT, Behind
from uplink_work.rates import bits
from uplink_work.straggler import OURS, WHAT, Straggler


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
        for tool in dict.fromkeys(one.tool for one in samples):
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
                seconds(carried * 8 / bits(options.uplink)),
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


def _median(values: Sequence[float]) -> float:
    return Figure.of(values).median
