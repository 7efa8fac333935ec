"""The timeline of a release as a picture: a lane for each host, a bar for each step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from castoff.cli.render.downtime import downtime
from castoff.cli.render.parts import Colour, colour_of
from castoff.cli.render.sizes import duration
from castoff.releaser.machine import Phase
from castoff.store.history import Entry, StepRow

# A bar at least so wide, in percent, has room for its name.
_ROOM_FOR_NAME = 14.0
_MOST_TICKS = 5
# The activation has a picture of its own if it takes less than this part of the whole.
_SMALL = 0.6
_MARGIN = 0.04
_MINUTE = 60
_CLOCK_FROM = 120.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the time axis, in percent from the left, and what is written there."""

    left: float
    text: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the time axis, in percent."""

    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One step.

    Attributes:
        place: Where it is on the axis.
        colour: Its colour.
        name: The step's name.
        named: Whether it is wide enough to bear its name.
        told: All about it in one line.
        target: The identifier of its log on the page.
        ok: Whether it ended well.
    """

    place: Stretch
    colour: Colour
    name: str
    named: bool
    told: str
    target: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One host: its bars, and when it may have been down."""

    host: str
    downtime: str
    bars: tuple[Bar, ...]
    down: Stretch | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One time axis and what happened along it.

    Attributes:
        title: What is shown.
        ticks: Seconds since the start of the release.
        barrier: Where all hosts had attested the same tree; None if that is not shown.
        lanes: The hosts, in the order of the configuration.
    """

    title: str
    ticks: tuple[Mark, ...]
    barrier: float | None
    lanes: tuple[Lane, ...]


def pictures(entry: Entry) -> tuple[Picture, ...]:
    """Return the whole release, and the activation enlarged where it is a small part of that."""
    steps = [step for host in entry.hosts for step in host.steps]
    if not steps:
        return ()
    first = min(entry.started, *(step.started for step in steps))
    last = max(step.started + step.seconds for step in steps)
    whole = _Axis(first, first, max(last, first + 1e-3))
    shown = [_picture("Whole release", entry, whole)]
    begin = _activation_begin(entry)
    if begin is not None and last - begin < _SMALL * (last - first):
        margin = max((last - begin) * _MARGIN, 1e-3)
        near = _Axis(first, begin - margin, last + margin)
        shown.append(_picture("Activation, enlarged", entry, near))
    return tuple(shown)


def target(host: int, step: int) -> str:
    """Return the identifier of a step's log on the page, by the positions of host and step."""
    return f"log-{host + 1}-{step + 1}"


@dataclass(frozen=True, slots=True)
class _Axis:
    zero: float
    start: float
    end: float

    def left(self, moment: float) -> float:
        part = (moment - self.start) / (self.end - self.start)
        return round(100 * min(max(part, 0.0), 1.0), 3)

    def stretch(self, start: float, end: float) -> Stretch:
        left = self.left(start)
        return Stretch(left, round(self.left(end) - left, 3))

    def shows(self, start: float, end: float) -> bool:
        return end >= self.start and start <= self.end

    def ticks(self) -> tuple[Mark, ...]:
        step = _round_step((self.end - self.start) / _MOST_TICKS)
        number = math.ceil((self.start - self.zero) / step - 1e-9)
        marks = []
        while (moment := self.zero + number * step) <= self.end:
            marks.append(Mark(self.left(moment), _tick(number * step, step)))
            number += 1
        return tuple(marks)


def _picture(title: str, entry: Entry, axis: _Axis) -> Picture:
    barrier = _barrier(entry)
    return Picture(
        title=title,
        ticks=axis.ticks(),
        barrier=None if barrier is None or not axis.shows(barrier, barrier) else axis.left(barrier),
        lanes=tuple(_lane(entry, number, axis) for number in range(len(entry.hosts))),
    )


def _lane(entry: Entry, number: int, axis: _Axis) -> Lane:
    host = entry.hosts[number]
    down = downtime(entry, host)
    return Lane(
        host=host.name,
        downtime="" if down is None else duration(down.seconds),
        bars=tuple(
            _bar(step, target(number, index), axis)
            for index, step in enumerate(host.steps)
            if axis.shows(step.started, step.started + step.seconds)
        ),
        down=None if down is None else axis.stretch(down.start, down.end),
    )


def _bar(step: StepRow, identifier: str, axis: _Axis) -> Bar:
    end = step.started + step.seconds
    place = axis.stretch(step.started, end)
    since, until = step.started - axis.zero, end - axis.zero
    failed = "" if step.ok else " failed, tried again, after" if step.retried else " FAILED after"
    return Bar(
        place=place,
        colour=colour_of(step),
        name=step.name,
        named=place.width >= _ROOM_FOR_NAME,
        told=f"{step.name}:{failed} {duration(step.seconds)} "
        f"(from {since:.2f} to {until:.2f} s after the start)",
        target=identifier,
        ok=step.ok,
    )


def _barrier(entry: Entry) -> float | None:
    """Return when the last host was prepared, if the release went on from there."""
    ends = [
        step.started + step.seconds
        for host in entry.hosts
        for step in host.steps
        if step.phase == Phase.PREPARE.value
    ]
    passed = entry.outcome in ("prepared", "released") or any(
        step.phase not in (Phase.PREFLIGHT.value, Phase.PREPARE.value)
        for host in entry.hosts
        for step in host.steps
    )
    return max(ends) if ends and passed else None


def _activation_begin(entry: Entry) -> float | None:
    healthy = [host.healthy for host in entry.hosts if host.healthy is not None]
    if healthy and entry.activation_seconds is not None:
        return max(healthy) - entry.activation_seconds
    return min((host.flipped for host in entry.hosts if host.flipped is not None), default=None)


def _round_step(least: float) -> float:
    """Return the first of 1, 2, 5, 10 … times a power of ten, or of minutes, that is enough."""
    if least > _MINUTE / 2:
        return _MINUTE * _round_step(max(least / _MINUTE, 1.0))
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))


def _tick(seconds: float, step: float) -> str:
    if step >= _MINUTE / 2 or (step >= 1 and seconds >= _CLOCK_FROM):
        minutes, rest = divmod(round(seconds), _MINUTE)
        return f"{minutes}:{rest:02} min"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{seconds:.{decimals}f} s"
