"""Reading castoff.toml: what is wrong is said in plain words, all at once, with lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load
from castoff.store.errors import ExitCode
from support.complaints import GOOD, complaints


def test_a_good_file_is_read_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text(GOOD)

    loaded = load(path)

    assert loaded.path == path
    assert loaded.base == tmp_path.resolve()
    assert loaded.config.apps["shop"].shared == ("media/",)
    assert [host.name for host in loaded.config.environments["production"].hosts] == [
        "web1",
        "web2",
    ]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())

    assert load(path).config.default_app == "shop"


@pytest.mark.parametrize(("path", "read"), [(".", "."), ("./", "."), ("web/./app/", "web/app")])
def test_the_folder_of_an_app_is_read_in_its_shortest_spelling(
    tmp_path: Path, path: str, read: str
) -> None:
    file = tmp_path / "castoff.toml"
    file.write_text(f"apps.shop.path = '{path}'")

    assert load(file).config.apps["shop"].path == read


def test_all_problems_come_at_once_in_order_of_their_lines(tmp_path: Path) -> None:
    text = GOOD.replace("port = 2222", "port = 0\nprot = 1").replace('"deploy"', "5")
    text = text.replace("shared", "shard")

    assert [line.split(":")[0] for line in complaints(tmp_path, text)] == ["4", "7", "16", "17"]


def test_problems_can_be_read_by_programs(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text(GOOD.replace("port = 2222", "prot = 1"))

    with pytest.raises(ConfigError) as caught:
        load(path)

    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (16, "environments.production.hosts[1].prot")
    assert problem.suggestion == "port"
    assert caught.value.exit_code is ExitCode.CONFIG


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file") as caught:
        load(tmp_path / "castoff.toml")

    assert "castoff init" in caught.value.hint


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "castoff.toml").mkdir()

    with pytest.raises(ConfigError, match=r"castoff\.toml: cannot be read: Is a directory"):
        load(tmp_path / "castoff.toml")
