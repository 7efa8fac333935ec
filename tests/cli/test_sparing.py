"""What is read without Typer's validators is read as Typer reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.core import TyperCommand
from typer.testing import CliRunner

from castoff.cli.sparing import SparingCommand

_WORDS = ["", "a", "a b", "ü", "a\nb", "\udcff", "-", "/", "here", "here/../here", "nowhere", "~"]
_NUMBERS = [
    "0",
    "1",
    "07",
    "1_0",
    " 1",
    "1.0",
    "1e3",
    "-1",
    "+1",
    "٣",
    "²",
    "1" * 9,
    "1" * 30,
    "17",
]


def text(value: Annotated[str | None, typer.Option()] = None) -> None:
    typer.echo(repr(value))


def needed(value: Annotated[str, typer.Argument()]) -> None:
    typer.echo(repr(value))


def path(value: Annotated[Path | None, typer.Option()] = None) -> None:
    typer.echo(repr(value))


def existing(value: Annotated[Path | None, typer.Option(exists=True)] = None) -> None:
    typer.echo(repr(value))


def file(value: Annotated[Path | None, typer.Option(dir_okay=False)] = None) -> None:
    typer.echo(repr(value))


def number(value: Annotated[int | None, typer.Option()] = None) -> None:
    typer.echo(repr(value))


def bounded(value: Annotated[int | None, typer.Option(min=1, max=17)] = None) -> None:
    typer.echo(repr(value))


def clamped(value: Annotated[int | None, typer.Option(min=2, max=9, clamp=True)] = None) -> None:
    typer.echo(repr(value))


def several(value: Annotated[list[str] | None, typer.Option()] = None) -> None:
    typer.echo(repr(value))


def heard(value: Annotated[str | None, typer.Option(callback=repr)] = None) -> None:
    typer.echo(repr(value))


def outcome(command: Callable[..., None], kind: type[TyperCommand], words: list[str]) -> Any:
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(cls=kind)(command)
    result = CliRunner().invoke(app, words)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "command",
    [text, path, existing, file, number, bounded, clamped, several, heard],
    ids=lambda command: command.__name__,
)
def test_options(
    command: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    for word in [*_WORDS, *_NUMBERS]:
        words = [f"--value={word}"]
        ours, theirs = (outcome(command, kind, words) for kind in (SparingCommand, TyperCommand))
        assert ours == theirs, word
    assert outcome(command, SparingCommand, []) == outcome(command, TyperCommand, [])


@pytest.mark.parametrize("words", [[], ["a"], [""], ["a", "b"]])
def test_arguments(words: list[str]) -> None:
    assert outcome(needed, SparingCommand, words) == outcome(needed, TyperCommand, words)
