"""A plain table, the same look everywhere, and what becomes of it where there is no room for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from castoff.cli.render.watching import stdout_console

if TYPE_CHECKING:
    from rich.console import Console

# Blanks between two columns.
_GAP = 2
# Less than this is no column to read a sentence in.
_LEAST = 24


def print_table(
    header: Sequence[str], rows: Iterable[Sequence[str]], *, spare: Sequence[str] = ()
) -> None:
    """Print rows below a header, columns as wide as their content; text is never markup.

    Where a terminal is too narrow, columns are left out that may be; then the last one, which has
    the sentences, is wrapped; and where that is not enough, each row becomes a list of its own. So
    what people copy (a version, an identifier) is never cut.

    Args:
        header: The names of the columns.
        rows: Their texts.
        spare: Names of columns that may be left out, the least important first.
    """
    console = stdout_console()
    names, cells = list(header), [list(row) for row in rows]
    for name in spare:
        if sum(_widths(names, cells)) > console.width:
            at = names.index(name)
            names, cells = _without(names, at), [_without(row, at) for row in cells]
    *others, last = _widths(names, cells)
    if console.width - sum(others) < min(last, _LEAST):
        _print_lists(console, names, cells)
    else:
        _print(console, _table(names, cells))


def _widths(names: Sequence[str], cells: Iterable[Sequence[str]]) -> list[int]:
    """Return what each column takes, the gap before it counted."""
    columns = zip(names, *cells, strict=True)
    return [max(map(_width, column)) + _GAP * (at > 0) for at, column in enumerate(columns)]


def _width(text: str) -> int:
    return max(map(cell_len, text.splitlines()), default=0)


def _without(cells: list[str], at: int) -> list[str]:
    return cells[:at] + cells[at + 1 :]


def _table(names: Sequence[str], cells: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        # Only the last one gives way: rich would take from all.
        table.add_column(name, overflow="fold", no_wrap=name is not names[-1])
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _print_lists(console: Console, names: Sequence[str], cells: Iterable[Sequence[str]]) -> None:
    for row in cells:
        console.print(Text(f"{names[0]} {row[0]}".strip(), style="bold"), soft_wrap=True)
        grid = Table.grid(padding=(0, _GAP))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for name, text in zip(names[1:], row[1:], strict=True):
            if text not in ("", "-"):
                grid.add_row(f"  {name}", Text(text))
        console.print(grid)


def _print(console: Console, table: Table) -> None:
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        console.print(Text(line.rstrip()), soft_wrap=True)
