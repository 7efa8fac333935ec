"""Compress a finished part of a tree beside what else a build does, before it needs the members."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.cache import Cache
from castoff.builder.errors import BuildError
from castoff.builder.forked import Forked
from castoff.builder.layer import Layer
from castoff.builder.pack import Damaged
from castoff.builder.unit_members import Made, make_members
from castoff.builder.units import Unit, units

# Entries: from how many on it pays to start processes.
_MANY = 2000
_NUMBER = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class MadeUnit:
    """A unit whose members have been made.

    Attributes:
        members: In order.
        file: Holds their bytes.
        start: Where in it.
    """

    unit: Unit
    members: list[Made]
    file: Path
    start: int


class Compression:
    """All units of a layer, compressed by as many processes as there are processors.

    Each takes the next unit that no other has taken, and writes what it makes of it into a file of
    its own.
    """

    def __init__(
        self, layer: Layer, folder: Path, cache: Cache, forked: Forked, *, workers: int
    ) -> None:
        """Begin.

        Args:
            layer: What is compressed.
            folder: The build's own; files are made in it.
            cache: Where members of earlier builds are.
            forked: Runs the processes.
            workers: How many; the result does not depend on it.
        """
        self._layer, self._folder, self._cache, self._forked = layer, folder, cache, forked
        self._units = list(units(layer.rows))
        self._children: list[int] = []
        if workers > 1 and len(layer.rows) > _MANY:
            self._begin(workers)

    def finish(self) -> list[MadeUnit]:
        """Wait for all units; return them in order.

        Raises:
            Damaged: The layer is no longer what it was.
            OSError: The folder cannot be written.
        """
        found = {one.unit: one for child in self._children for one in self._made_by(child)}
        missing = [unit for unit in self._units if unit not in found]
        # Those of a process that was killed, or could not read a unit: why is told here.
        place = self._folder / "compressed"
        for one in self._make(place, iter(missing)):
            found[one.unit] = one
        return [found[unit] for unit in self._units]

    def _begin(self, workers: int) -> None:
        # A queue that the system keeps: whoever reads a number has it alone. Units that it has no
        # room for are left to `finish`.
        self._queue, writing = os.pipe()
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            os.write(writing, b"".join(map(_NUMBER.pack, range(len(self._units)))))
        os.close(writing)
        for _ in range(workers):
            child = self._forked.start(self._work)
            if child is not None:
                self._children.append(child)
        os.close(self._queue)

    def _work(self) -> None:
        """Make members, in a process of its own."""
        place = self._folder / f"compressed-{os.getpid()}"
        self._cache = self._cache.apart()
        made: list[MadeUnit] = []
        # What was made until then is of use all the same.
        with suppress(OSError, BuildError, Damaged):
            made.extend(self._make(place, self._taken()))
        written, trouble = self._cache.told()
        told = [[one.unit.begin, one.unit.end, one.start, one.members] for one in made]
        place.with_suffix(".json").write_text(
            json.dumps({"units": told, "written": written, "trouble": trouble})
        )

    def _taken(self) -> Iterator[Unit]:
        while data := os.read(self._queue, _NUMBER.size):
            yield self._units[_NUMBER.unpack(data)[0]]

    def _make(self, place: Path, wanted: Iterator[Unit]) -> Iterator[MadeUnit]:
        start = 0
        with place.open("wb") as file:
            for unit in wanted:
                members = make_members(self._layer, unit, self._cache, file.write)
                file.flush()
                yield MadeUnit(unit, members, place, start)
                start = file.tell()

    def _made_by(self, child: int) -> Iterator[MadeUnit]:
        if not self._forked.wait(child):
            return
        place = self._folder / f"compressed-{child}"
        told = json.loads(place.with_suffix(".json").read_text())
        self._cache.hear(told["written"], told["trouble"])
        for begin, end, start, members in told["units"]:
            yield MadeUnit(Unit(begin, end), [Made(*one) for one in members], place, start)
