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


def test_files_of_apps_below_the_root_of_a_repository_are_named(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    for name in ("blog", "services/api", "services/deep/er"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "castoff.toml").touch()

    with pytest.raises(ConfigError) as caught:
        find(tmp_path)

    assert "there is blog/castoff.toml, services/api/castoff.toml: go there" in caught.value.hint
