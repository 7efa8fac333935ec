"""`castoff init` as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from castoff.cli.init import init
from castoff.config.load import load
from castoff.store.errors import UsageError
from support.projects import make

app = typer.Typer()
app.command()(init)


def test_it_says_what_it_wrote_and_what_is_next(tmp_path: Path) -> None:
    make(tmp_path, "flask")

    result = CliRunner().invoke(app, [str(tmp_path), "--name", "shop"])

    assert result.exit_code == 0
    assert f"Wrote {tmp_path / 'castoff.toml'} for a WSGI application." in result.output
    assert "1. On each host, a service 'shop' starts" in result.output
    assert "castoff build" in result.output
    assert list(load(tmp_path / "castoff.toml").config.apps) == ["shop"]


def test_it_takes_the_current_folder_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert CliRunner().invoke(app).exit_code == 0
    assert isinstance(CliRunner().invoke(app).exception, UsageError)
    assert CliRunner().invoke(app, ["--force"]).exit_code == 0


@pytest.mark.parametrize("project", ["django", "flask", "fastapi", "package", "static", "files"])
def test_it_has_words_for_every_kind(tmp_path: Path, project: str) -> None:
    make(tmp_path, project)

    assert CliRunner().invoke(app, [str(tmp_path)]).exit_code == 0
