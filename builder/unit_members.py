"""The members of the archive that hold one unit of a tree: compressed once, and kept by content."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache as once
from pathlib import Path
from typing import Any, NamedTuple

import deflate

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.layer import Layer
from castoff.builder.members import LEVEL, STAGE, compress, compress_run, compressor
from castoff.builder.rows import Rows
from castoff.builder.runs import Cutter, Run
from castoff.builder.settled import NUMBER, SettledRun
from castoff.builder.tree import Tree
from castoff.builder.units import Unit
from castoff.store import canonical
from castoff.store.digest import sha256
from castoff.store.filetable import File

# Raw bytes: what is larger is not held in memory, and its members are kept one by one.
_LARGE = 16 * 1024 * 1024


class Made(NamedTuple):
    """A member that has been made.

    Attributes:
        first: Number of the entry that its run begins in.
        rows: Rows of the file table for the files that begin in it.
        raw_length: Bytes of the run.
        length: Bytes of the member.
        checksum: The member's CRC-32.
        sha256: The member's.
    """

    first: int
    rows: str
    raw_length: int
    length: int
    checksum: int
    sha256: str

    def settled(self, rows: int) -> SettledRun:
        """Return it as `settled` has it.

        Args:
            rows: Bytes of its rows.
        """
        return self.first, rows, self.raw_length, self.length, self.checksum, self.sha256


class Members(NamedTuple):
    """The members of a unit.

    Attributes:
        made: What is known of them, in order.
        kept: The file of the cache that holds their bytes, and where in it; None if none does.
    """

    made: list[Made]
    kept: tuple[Path, int] | None


def make_members(
    layer: Layer, unit: Unit, cache: Cache, write: Callable[[bytes], object]
) -> Members:
    """Return the members of a unit, in order.

    Args:
        layer: What it is a unit of.
        unit: Which.
        cache: Where members of earlier builds are; the result does not depend on it.
        write: Takes their bytes where the cache does not keep them, of one after the other or of
            all at once.

    Raises:
        Damaged: The layer is no longer what it was.
    """
    part = replace(layer, rows=layer.rows.part(unit.begin, unit.end))
    if sum(part.rows.sizes) > _LARGE:
        made, kept = _make(part, lambda run: compress_run(run, cache).data, write), None
    else:
        made, kept = _make_or_find(part, cache, write)
    return Members([one._replace(first=one.first + unit.begin) for one in made], kept)


def _make_or_find(layer: Layer, cache: Cache, write: Callable[[bytes], object]) -> Members:
    key = key_of(_facts(layer.rows))
    entry = cache.read(STAGE, key)
    if entry is not None:
        head, _, data = entry.partition(b"\n")
        made = [Made(*one) for one in json.loads(head)]
    else:
        pieces: list[bytes] = []
        made = _make(layer, lambda run: compress(run.read()), pieces.append)
        head, data = canonical.dumps(made), b"".join(pieces)
        cache.write(STAGE, key, b"%b\n%b" % (head, data))
    place = cache.locate(STAGE, key)
    if place is None:
        write(data)
        return Members(made, None)
    return Members(made, (place[0], place[1] + len(head) + 1))


def _facts(rows: Rows) -> Mapping[str, Any]:
    paths, kinds, sizes, _, digests, _ = rows.to_bytes()
    return {
        "paths": sha256(paths),
        "kinds": sha256(kinds),
        "sizes": sha256(sizes),
        "digests": sha256(digests),
        "targets": [[path, rows.targets[path]] for path in rows.targets if path in rows.index],
        "rules": _rules(),
        "level": LEVEL,
        "deflate": compressor(),
    }


@once
def _rules() -> Sequence[str]:
    return own_code("runs.py", "unit_members.py")


def _make(
    layer: Layer, compressed: Callable[[Run], bytes], write: Callable[[bytes], object]
) -> list[Made]:
    rows = layer.rows
    cutter = Cutter()
    members = []
    for run in cutter.cut(Tree(Path(), (), (), (), layer)):
        # Nothing is settled here; and the end of the tar is no part of any unit.
        if isinstance(run, Run) and cutter.firsts[-1] is not None:
            member = compressed(run)
            members.append((run.raw_length, len(member), deflate.crc32(member), sha256(member)))
            write(member)
    texts: list[list[bytes]] = [[] for _ in members]
    for row in cutter.rows:
        if isinstance(row, File):
            texts[row.member].append(_row(row))
    firsts = (rows.index[path] for path in cutter.firsts if path is not None)
    return [
        Made(first, b",".join(text).decode(), *member)
        for first, text, member in zip(firsts, texts, members, strict=True)
    ]


def _row(file: File) -> bytes:
    head = canonical.dumps([file.path, int(file.executable), file.size, file.sha256])
    return b"%b,%b,%d]" % (head[:-1], NUMBER, file.start)
