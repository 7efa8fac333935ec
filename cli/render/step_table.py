"""The steps of a release with their durations, each step one line for all hosts that ran it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from castoff.cli.render.parts import Part, part_of
from castoff.cli.render.sizes import duration
from castoff.store.history import Entry

_MOST_NAMES = 3


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step.

    Attributes:
        hosts: Who ran it, as text.
        step: Its name.
        took: How long, as text: a range where hosts differ.
        ok: Whether it ended well on all of them.
    """

    hosts: str
    step: str
    took: str
    ok: bool


@dataclass(frozen=True, slots=True)
class StepGroup:
    """The steps of one part of the release, in the order in which they began."""

    part: Part
    lines: tuple[StepLine, ...]


def step_groups(entry: Entry) -> tuple[StepGroup, ...]:
    """Return all steps, by part."""
    spans = sorted(
        ((step, host.name) for host in entry.hosts for step in host.steps),
        key=lambda pair: pair[0].started,
    )
    seconds: dict[Part, dict[str, dict[str, float]]] = {}
    failed: set[tuple[Part, str]] = set()
    for step, host in spans:
        part = part_of(step)
        of_hosts = seconds.setdefault(part, {}).setdefault(step.name, {})
        of_hosts[host] = of_hosts.get(host, 0.0) + step.seconds
        if not step.ok and not step.retried:
            failed.add((part, step.name))
    order = [host.name for host in entry.hosts]
    return tuple(
        StepGroup(
            part,
            tuple(
                StepLine(
                    hosts=_names(sorted(of_hosts, key=order.index), len(order)),
                    step=name,
                    took=_range(min(of_hosts.values()), max(of_hosts.values())),
                    ok=(part, name) not in failed,
                )
                for name, of_hosts in steps.items()
            ),
        )
        for part, steps in seconds.items()
    )


def serial_seconds(entry: Entry) -> float:
    """Return how long the same steps would take one host after another: their sum."""
    return sum(step.seconds for host in entry.hosts for step in host.steps)


def _names(names: Sequence[str], of: int) -> str:
    if len(names) <= _MOST_NAMES:
        return " + ".join(names)
    if len(names) == of:
        return f"all {of} hosts"
    return f"{names[0]} + {len(names) - 1} others"


def _range(least: float, most: float) -> str:
    shortest, longest = duration(least), duration(most)
    if shortest == longest:
        return longest
    number, _, unit = shortest.rpartition(" ")
    if longest.endswith(f" {unit}") and " " not in number:
        shortest = number
    return f"{shortest} – {longest}"  # noqa: RUF001 (a range)
