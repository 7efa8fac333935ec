"""The diagrams."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from common.plot import Bars, Panel
from uplink_work.behind import WITH, Behind
from uplink_work.straggler import FIRST, OURS, WHAT, Straggler


def panels(stragglers: Sequence[Straggler], behind: Sequence[Behind]) -> list[Panel | Bars]:
    """Return the diagrams."""
    lines = {}
    for tool in dict.fromkeys(one.tool for one in stragglers):
        found = [one for one in stragglers if (one.tool, one.what) == (tool, WHAT[FIRST])]
        for moment in ("prepared", "serves"):
            lines[f"{tool}: {moment}"] = [
                (place + 1.0, statistics.median(getattr(one, moment)[host] for one in found))
                for place, host in enumerate(found[0].prepared)
            ]
    ways = list(dict.fromkeys(one.way for one in behind))

    def bars(value: Callable[[Behind], float]) -> dict[str, float]:
        return {
            way: statistics.median([value(one) for one in behind if one.way == way]) for way in ways
        }

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
