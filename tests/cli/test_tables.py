"""What a table becomes on terminals that have no room for it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from castoff.cli.render import tables

HEADER = ("id", "roles", "size", "what happened")
ROWS = [
    ("20261130-171818-backup-59ddd6", "web", "3.8 KiB", "cannot connect to 192.0.2.1: no answer"),
    ("20261130-171616-backup-e04cd9", "web", "-", ""),
]
NATURAL = 29 + 7 + 9 + 40


def printed(monkeypatch: pytest.MonkeyPatch, width: int, *, terminal: bool = True) -> list[str]:
    file = io.StringIO()
    console = Console(width=width, file=file, force_terminal=terminal, color_system=None)
    monkeypatch.setattr(tables, "stdout_console", lambda: console)
    monkeypatch.setenv("TERM", "xterm")
    tables.print_table(HEADER, ROWS, spare=("roles",))
    return file.getvalue().splitlines()


def test_where_there_is_room_each_row_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, NATURAL)
    assert len(lines) == 3
    assert "roles" in lines[0]


def test_a_pipe_gets_no_blanks_at_the_ends_of_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, 10_000, terminal=False)
    assert [line.rstrip() for line in lines] == lines
    assert len(lines) == 3


def test_the_column_that_may_be_left_out_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed(monkeypatch, NATURAL - 1)
    assert len(lines) == 3
    assert "roles" not in lines[0]


def test_sentences_are_wrapped_while_there_is_room_to_read_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = printed(monkeypatch, 29 + 9 + 2 + 24)
    assert len(lines) > 3
    assert all(len(line) <= 29 + 9 + 2 + 24 for line in lines)
    assert ROWS[0][0] in lines[1]


@pytest.mark.parametrize("width", [20, 40, 60])
def test_what_is_copied_stays_in_one_piece_however_narrow_it_is(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    lines = printed(monkeypatch, width)
    assert [line for line in lines if line.startswith("id ")] == [f"id {row[0]}" for row in ROWS]
    text = " ".join(word for line in lines for word in line.split())
    assert "size 3.8 KiB" in text
    assert "-" not in text.split()
