"""Compress a finished part of a tree beside what else a build does, before it needs the members."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

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
# What a process says of a unit, in one write that no other comes into: who it is, the unit's
# number, and where what is known of it begins and ends in the file of the process.
_SAID = struct.Struct("<IIQQ")


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


class Abandoned(Exception):
    """The build has failed."""


class Compression:
    """All units of a layer, compressed by as many processes as there are processors.

    Each takes the next unit that no other has taken, and leaves what it makes of it in the cache,
    or in a file of its own.
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
        self._hearing: int | None = None
        self._abandoned = False
        if workers > 1 and len(layer.rows) > _MANY:
            self._begin(workers)

    def made(self) -> Iterator[MadeUnit]:
        """Yield all units in order, each as soon as it is there; then wait for the processes.

        Raises:
            Damaged: The layer is no longer what it was.
            Abandoned: Nobody waits for them any more.
            OSError: The folder cannot be written.
        """
        found: dict[int, MadeUnit] = {}
        place = self._folder / "compressed"
        with place.open("wb") as file:
            for number, unit in enumerate(self._units):
                while number not in found and (said := self._next_said()):
                    found.update(said)
                if self._abandoned:
                    raise Abandoned
                one = found.pop(number, None)
                if one is None or not one.file.is_file():
                    # That of a process that was killed, or could not read it: why is told here. Or
                    # another build had no room for it.
                    one = self._make(file, place, unit)
                yield one
        self.wait()

    def abandon(self) -> None:
        """End all processes: nobody waits for what they make."""
        self._abandoned = True
        for child in tuple(self._children):
            self._forked.kill(child)

    def wait(self) -> None:
        """Wait for the end of all processes, whatever they make."""
        if self._hearing is not None:
            # Whoever has more to say ends then, too.
            os.close(self._hearing)
            self._hearing = None
        while self._children:
            child = self._children.pop()
            if self._forked.wait(child):
                self._cache.hear(*json.loads(self._place(child).with_suffix(".json").read_text()))

    def _begin(self, workers: int) -> None:
        # A queue that the system keeps: whoever reads a number has it alone. Units that it has no
        # room for are left to `made`.
        self._queue, writing = os.pipe()
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            os.write(writing, b"".join(map(_NUMBER.pack, range(len(self._units)))))
        os.close(writing)
        self._hearing, self._saying = os.pipe()
        for _ in range(workers):
            child = self._forked.start(self._work)
            if child is not None:
                self._children.append(child)
        os.close(self._queue)
        os.close(self._saying)

    def _place(self, child: int) -> Path:
        return self._folder / f"compressed-{child}"

    def _work(self) -> None:
        """Make members, in a process of its own."""
        if self._hearing is not None:
            # Else nobody here would ever be told that all others have gone.
            os.close(self._hearing)
        place = self._place(os.getpid())
        self._cache = self._cache.apart()
        # What was made until then is of use all the same.
        with suppress(OSError, BuildError, Damaged), place.open("wb") as file:
            while data := os.read(self._queue, _NUMBER.size):
                (number,) = _NUMBER.unpack(data)
                one = self._make(file, place, self._units[number])
                begin = file.tell()
                file.write(json.dumps((str(one.file), one.start, one.members)).encode())
                file.flush()
                os.write(self._saying, _SAID.pack(os.getpid(), number, begin, file.tell()))
        place.with_suffix(".json").write_text(json.dumps(self._cache.told()))

    def _make(self, file: BinaryIO, place: Path, unit: Unit) -> MadeUnit:
        start = file.tell()
        members, kept = make_members(self._layer, unit, self._cache, file.write)
        file.flush()
        return MadeUnit(unit, members, *(kept or (place, start)))

    def _next_said(self) -> Mapping[int, MadeUnit]:
        """Return the next unit that a process has made, by its number; none when all have ended."""
        data = b"" if self._hearing is None else os.read(self._hearing, _SAID.size)
        if not data:
            return {}
        child, number, begin, end = _SAID.unpack(data)
        with self._place(child).open("rb") as file:
            path, start, members = json.loads(os.pread(file.fileno(), end - begin, begin))
        made = [Made(*one) for one in members]
        return {number: MadeUnit(self._units[number], made, Path(path), start)}
