"""Where castoff.toml is looked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.find import find


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "castoff.toml").touch()

    assert find(deep) == tmp_path.resolve() / "castoff.toml"
    (deep / "castoff.toml").touch()
    assert find(deep) == deep / "castoff.toml"


def test_a_file_in_the_current_folder_keeps_its_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "castoff.toml").touch()
    monkeypatch.chdir(tmp_path)

    assert os.fspath(find(Path())) == "castoff.toml"


def test_the_search_ends_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / "castoff.toml").touch()
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "src").mkdir()

    with pytest.raises(ConfigError, match="nor above it in the repository"):
        find(tmp_path / "repository" / "src")
