"""A file table told by what differs from another one, for hosts that have that one.

Two releases in a row have nearly all rows in common, but nearly all of those change: each member's
offset, and the number of each file's member, move with what came before them. So a difference
names runs of rows of the other table, with how far their members have moved, and spells out the
rest. docs/reference/agent-protocol.md describes the form; `releaser/agent/table_delta.py` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Sequence
from typing import Any

# A list of operations: a run of rows of the other table, or a row.
Operations = list[list[Any]]
_Rows = Sequence[Sequence[Any]]


def table_delta(old: bytes, new: bytes) -> dict[str, Operations]:
    """Return what makes one table of another.

    Args:
        old: The document that the host has, uncompressed.
        new: The one that it is to have.
    """
    after = json.loads(new)
    if old == new:
        # As when going back to a release that is there: a run of all rows, of each kind.
        runs: dict[str, Operations] = {
            kind: [[0, len(after[kind])]] if after[kind] else []
            for kind in ("members", "directories", "files", "links")
        }
        runs["files"] = [[*run, 0] for run in runs["files"]]
        return runs
    before = json.loads(old)
    return {
        "members": _runs(_with_gaps(before["members"]), _with_gaps(after["members"])),
        "directories": _runs(_single(before["directories"]), _single(after["directories"])),
        "files": list(_files(before["files"], after["files"])),
        "links": _runs(before["links"], after["links"]),
    }


def _with_gaps(members: _Rows) -> list[list[Any]]:
    """Return members with what lies between each and the one before, instead of its offset."""
    rows = []
    end = 0
    for offset, length, *rest in members:
        rows.append([offset - end, length, *rest])
        end = offset + length
    return rows


def _single(values: Sequence[str]) -> list[list[str]]:
    return [[value] for value in values]


def _runs(old: _Rows, new: _Rows) -> Operations:
    """Return runs `[first row, how many]` of equal rows, and the rows that are new."""
    known: dict[tuple[Hashable, ...], int] = {tuple(row): at for at, row in enumerate(old)}
    found: Operations = []
    run: list[int] | None = None
    for row in new:
        # The next row of the run first: a row may be there several times.
        at = None if run is None else sum(run)
        if at is None or at >= len(old) or list(old[at]) != list(row):
            at = known.get(tuple(row))
        if at is None:
            run = None
            found.append(list(row))
        elif run is not None and at == sum(run):
            run[1] += 1
        else:
            run = [at, 1]
            found.append(run)
    return found


def _files(old: _Rows, new: _Rows) -> Iterator[list[Any]]:
    """Yield runs `[first row, how many, how far their members moved]`, and what else there is.

    A row whose file is the same but lies elsewhere is `[row, 0, member, start]`.
    """
    known = {row[0]: at for at, row in enumerate(old)}
    run: list[int] = []
    for row in new:
        at = known.get(row[0])
        if at is None or list(old[at][:4]) != list(row[:4]):
            if run:
                yield run
                run = []
            yield list(row)
            continue
        shift = row[4] - old[at][4]
        if old[at][5] != row[5]:
            if run:
                yield run
                run = []
            yield [at, 0, row[4], row[5]]
        elif run and at == run[0] + run[1] and shift == run[2]:
            run[1] += 1
        else:
            if run:
                yield run
            run = [at, 1, shift]
    if run:
        yield run
