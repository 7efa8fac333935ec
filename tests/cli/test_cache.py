"""`castoff cache` on a folder of the test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.cache import Cache, key_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's cache folder with two results in it."""
    cache = Cache(tmp_path / "castoff")
    for number in range(2):
        cache.write("members", key_of({"number": number}), bytes(10_000))
    return tmp_path


def castoff(home: Path, *words: str, bound: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from castoff.cli.main import main; main()", "cache", *words],
        env={"XDG_CACHE_HOME": str(home), "CASTOFF_CACHE_SIZE": bound, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def shown(home: Path, bound: str = "") -> Any:
    return json.loads(castoff(home, "--json", bound=bound).stdout)


def test_it_says_what_is_there(home: Path) -> None:
    found = shown(home, bound="3M")
    assert found["folder"] == str(home / "castoff")
    assert found["bound"] == 3 * 1024**2
    assert found["stages"]["members"]["entries"] == 2
    assert found["size"] == sum(stage["size"] for stage in found["stages"].values()) > 20_000
    tool = home / "castoff/assets/npm/tool.tgz"
    tool.parent.mkdir(parents=True)
    tool.write_bytes(bytes(50_000))
    said = castoff(home).stdout
    # Tools are shown, and are not what is bounded.
    assert ": 19.7 KiB of 2.0 GiB" in said
    assert "members" in said
    assert "48.8 KiB" in said


def test_a_relative_folder_is_ignored_as_the_specification_says(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from castoff.cli.main import main; main()", "cache", "--json"],
        env={"XDG_CACHE_HOME": "here", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["folder"] == str(tmp_path / ".cache/castoff")


def test_pruning_keeps_to_the_size_that_is_asked_for(home: Path) -> None:
    assert "0 B freed" in castoff(home, "prune").stdout
    assert "9.8 KiB freed" in castoff(home, "prune", "--max-size", "15k").stdout
    assert shown(home)["stages"]["members"]["entries"] == 1
    freed = castoff(home, "prune", "--json", bound="1k").stdout
    assert json.loads(freed)["freed"] > 10_000
    assert shown(home)["size"] == 0


def test_clearing_leaves_nothing(home: Path) -> None:
    assert castoff(home, "clear").returncode == 0
    assert shown(home)["size"] == 0
    assert "0 B freed" in castoff(home, "clear").stdout


@pytest.mark.parametrize(
    ("words", "bound", "named"),
    [(("prune", "--max-size", "much"), "", "--max-size"), ((), "much", "CASTOFF_CACHE_SIZE")],
)
def test_what_is_no_size_is_a_wrong_word(
    home: Path, words: tuple[str, ...], bound: str, named: str
) -> None:
    done = castoff(home, *words, bound=bound)
    assert done.returncode == 2
    assert done.stderr.startswith(f"castoff: {named}: 'much' is not a size")
