"""Tables and lines of what tools took on fleets of several sizes, and of what they could not do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from common.figures import Figure, seconds, size
from common.results import table
from release_work.sample import Failure, Sample

_MEASURED = ("total", "prepared", "activation", "wire", "cpu", "memory")
_HEAD = ("tool", "total", "of ours", "first serves", "spread", "wire", "CPU", "memory")


def hosts(count: int) -> str:
    """Return a number of hosts in words."""
    return f"{count} host{'s' * (count > 1)}"


@dataclass(frozen=True)
class Results:
    """All that was measured, and all that failed.

    Attributes:
        ours: The tool that the others are compared with.
    """

    samples: Sequence[Sample]
    failures: Sequence[Failure]
    ours: str

    @property
    def counts(self) -> list[int]:
        """Of hosts, ascending."""
        return sorted({one.hosts for one in self._all})

    def as_json(self) -> str:
        """Return all of it as JSON."""
        return json.dumps([asdict(one) for one in self._all], indent=1)

    def of_fleet(self, what: str, count: int) -> str:
        """Return the table of one kind of command on fleets of one size."""
        return table(_HEAD, [self._row(tool, what, count) for tool in self._tools(what, count)])

    def totals(self, what: str) -> str:
        """Return the table of the times of one kind of command, by the number of hosts."""
        rows = [
            [tool, *(self._total(tool, what, count) for count in self.counts)]
            for tool in self._tools(what)
        ]
        return table(["tool", *map(hosts, self.counts)], rows)

    def lines(
        self, what: str, field: str, scale: float = 1.0
    ) -> dict[str, list[tuple[float, float]]]:
        """Return for each tool the medians of a field, divided by `scale`, by number of hosts."""
        return {
            tool: [
                (count, self._figure(tool, what, count, field).median / scale)
                for count in self.counts
                if self._of(tool, what, count)
            ]
            for tool in dict.fromkeys(one.tool for one in self.samples if one.what == what)
        }

    @property
    def _all(self) -> list[Sample | Failure]:
        return [*self.samples, *self.failures]

    def _tools(self, what: str, count: int | None = None) -> list[str]:
        wanted = [one.tool for one in self._all if one.what == what and count in {None, one.hosts}]
        order = dict.fromkeys(one.tool for one in self._all)
        return [tool for tool in order if tool in wanted]

    def _row(self, tool: str, what: str, count: int) -> list[str]:
        if not self._of(tool, what, count):
            return [tool, self._reason(tool, what, count), *[""] * (len(_HEAD) - 2)]
        total = self._figure(tool, what, count, "total")
        median = {field: self._figure(tool, what, count, field).median for field in _MEASURED}
        ratio = ""
        if self._of(self.ours, what, count):
            ours = self._figure(self.ours, what, count, "total").median
            ratio = f"{total.median / ours:.2f} x"
        return [
            tool,
            f"{seconds(total.median)} ({total.low:.3g} … {total.high:.3g})",
            ratio,
            seconds(median["prepared"]),
            seconds(median["activation"]),
            size(median["wire"]),
            seconds(median["cpu"]),
            size(median["memory"]),
        ]

    def _total(self, tool: str, what: str, count: int) -> str:
        if not self._of(tool, what, count):
            return self._reason(tool, what, count)
        return seconds(self._figure(tool, what, count, "total").median)

    def _reason(self, tool: str, what: str, count: int) -> str:
        for one in self.failures:
            if (one.tool, one.what, one.hosts) == (tool, what, count):
                return one.reason
        return "-"

    def _of(self, tool: str, what: str, count: int) -> list[Sample]:
        wanted = (tool, what, count)
        return [one for one in self.samples if (one.tool, one.what, one.hosts) == wanted]

    def _figure(self, tool: str, what: str, count: int, field: str) -> Figure:
        return Figure.of([getattr(one, field) for one in self._of(tool, what, count)])
