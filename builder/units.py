"""Take a finished part of a tree apart into units that can be compressed each by itself.

A unit begins and ends where a run of the archive does, whatever is compressed before it: its
members are the same in every archive that holds its entries, and the members of all units, one
behind another, are those of the part.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from castoff.builder.rows import LINK, Rows
from castoff.builder.runs import MOST_PLAIN, RUN, ends_run, entry_length, group

# Raw bytes. A package is a unit, as packages change by themselves, and a larger one is several, so
# that no processor has one to finish while the others have nothing left.
_MOST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unit:
    """Entries that follow one another.

    Attributes:
        begin: Number of the first.
        end: Number of the one after the last.
    """

    begin: int
    end: int


def units(rows: Rows) -> Iterator[Unit]:
    """Yield the units of all entries, but for what may share a run with what follows the part.

    Args:
        rows: The part's entries.
    """
    begin = length = unit = 0
    last, before = 0, ""
    for number, path in enumerate(rows.paths):
        more = _length(rows, number, path)
        # After a file that makes runs of its own nothing has begun.
        if number and (not length or ends_run(length, more, before, path)):
            last, length = number, 0
            if unit >= _MOST or group(before) != group(path):
                yield Unit(begin, number)
                begin, unit = number, 0
        unit += more
        length = 0 if more > RUN else length + more
        before = path
    if last > begin:
        yield Unit(begin, last)


def _length(rows: Rows, number: int, path: str) -> int:
    size = rows.sizes[number]
    plain = len(path) < tarfile.LENGTH_NAME and path.isascii() and size < MOST_PLAIN
    if plain and rows.kinds[number] != LINK:
        # There are ten thousand of them: no header is made to be counted.
        return tarfile.BLOCKSIZE + size + -size % tarfile.BLOCKSIZE
    return entry_length(rows.entry(number))
