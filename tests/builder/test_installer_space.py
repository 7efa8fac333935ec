"""What uv and pip keep for builds has a bound, too."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from castoff.builder.cache_space import size_of
from castoff.builder.installer_space import in_use, prune_installers

BOUND = 10_000


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    fill(tmp_path)
    return tmp_path


def fill(folder: Path) -> None:
    for name in ("uv/archive-v0/abc/module.py", "uv/simple-v16/page", "pip/http-v2/ab/file"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(BOUND))


def prune(cache: Path, bound: int = BOUND, *, seldom: bool = False) -> int:
    return prune_installers(cache, bound, env={"PATH": os.defpath}, seldom=seldom)


def test_the_one_that_keeps_more_lets_go(cache: Path) -> None:
    assert prune(cache) >= BOUND
    assert size_of(cache / "uv") <= BOUND
    assert size_of(cache / "pip") == BOUND
    assert prune(cache, BOUND - 1) >= BOUND
    assert size_of(cache / "pip") == 0


def a_day_passes(cache: Path) -> None:
    (stamp,) = (path for path in cache.iterdir() if path.is_file())
    os.utime(stamp, (time.time() - 25 * 3600,) * 2)


def test_builds_count_once_a_day_from_the_first_one_on(cache: Path) -> None:
    for _ in range(2):
        assert prune(cache, seldom=True) == 0
    a_day_passes(cache)
    assert prune(cache, seldom=True) > 0
    fill(cache)
    assert prune(cache, seldom=True) == 0
    a_day_passes(cache)
    assert prune(cache, seldom=True) > 0


def test_a_full_disk_keeps_nobody_from_making_room_on_it(cache: Path) -> None:
    prune(cache, seldom=True)
    (stamp,) = (path for path in cache.iterdir() if path.is_file())
    stamp.unlink()
    stamp.symlink_to("/dev/full")
    assert prune(cache, seldom=True) == 0
    assert prune(cache) >= BOUND


def test_what_a_build_has_fetched_and_not_installed_stays(cache: Path) -> None:
    prune(cache, seldom=True)
    a_day_passes(cache)
    with in_use(cache), in_use(cache):
        assert prune(cache, seldom=True) == 0
    assert prune(cache, seldom=True) > 0


def test_a_folder_that_is_missing_or_none_is_nothing_to_prune(tmp_path: Path) -> None:
    with in_use(tmp_path / "missing"), in_use(None):
        assert prune(tmp_path / "missing") == 0
    assert not (tmp_path / "missing").exists()
