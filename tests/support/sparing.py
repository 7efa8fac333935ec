"""An agent, or its modules in this process, that takes a handful of rows for many."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from castoff.releaser.agent import (
    columns,
    here,
    numbers,
    patching,
    ranges,
    sorting,
    spill,
    stack,
    table,
    table_delta,
    texts,
)
from castoff.releaser.bundle import bundle

_FEW, _MANY = 5, 7
# What stands in the agent's text, and what is put there; each of them once.
_BOUNDS = {
    "FEW = 10_000": f"FEW = {_FEW}",
    "MANY = 30_000": f"MANY = {_MANY}",
    "_PAGE = 4096": "_PAGE = 4",
    "_PAGE = 256": "_PAGE = 3",
    "_ROWS = 64": "_ROWS = 2",
    "_MOST_RUNS = 64": "_MOST_RUNS = 3",
    "_SHORT = 1024 * 1024": "_SHORT = 9",
    "_AT_ONCE = 16_384": "_AT_ONCE = 4",
    # Tables are then read row by row.
    "_MOST = 3 * 1024 * 1024": "_MOST = 9",
    # One that is not fetched from elsewhere comes in small parts.
    "_TABLE_PART = 1024 * 1024": "_TABLE_PART = 99",
    # And what is written at once into the file of a spill.
    "_MOST = 1024 * 1024": "_MOST = 99",
}


def sparing_agent() -> bytes:
    """Return the text of an agent that is like any other, but for these bounds."""
    text = zlib.decompress(bundle()).decode()
    for bound, instead in _BOUNDS.items():
        # The modules are texts within a text: what looks like a letter before it is a line's end.
        text, count = re.subn(rf"(?<=n){re.escape(bound)}(?!\w| \*)", instead, text)
        assert count == 1, bound
    return zlib.compress(text.encode())


@contextmanager
def sparing_modules() -> Iterator[None]:
    """Let modules of this process be like that."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (texts, sorting, stack):
            patch.setattr(module, "FEW", _FEW)
        for module in (columns, numbers, ranges, table, patching):
            patch.setattr(module, "MANY", _MANY)
        patch.setattr(numbers, "_PAGE", 4)
        patch.setattr(texts, "_PAGE", 3)
        patch.setattr(sorting, "_ROWS", 2)
        patch.setattr(sorting, "_MOST_RUNS", 3)
        patch.setattr(table_delta, "_SHORT", 9)
        patch.setattr(here, "_AT_ONCE", 4)
        patch.setattr(spill.Spill.__init__, "__defaults__", (99,))
        yield
