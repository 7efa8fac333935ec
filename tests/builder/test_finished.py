"""Dependencies that an earlier build finished: the same bytes, less work."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder import dependencies
from castoff.builder.build import BuildResult
from support.builds import DEPENDENCIES, Repository, lock

APP = {"app.py": "import itsdangerous\n", "tool/__init__.py": "", "tool/one.py": "x = 1\n"}


@pytest.fixture
def plain(repository: Repository) -> Repository:
    """A project without a wheel of its own: nothing but the lock decides what is in lib/."""
    repository.commit({**APP, "requirements.txt": lock(*DEPENDENCIES)})
    return repository


def contents(result: BuildResult) -> list[bytes]:
    return [path.read_bytes() for path in (result.archive, result.table, result.manifest_path)]


def entries(cache: Path, stage: str) -> list[Path]:
    return sorted(path for path in (cache / stage).glob("*/*"))


def test_with_and_without_a_cache_the_bytes_are_the_same(plain: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    without = plain.build(tmp_path / "without", version="1")
    cold = plain.build(tmp_path / "cold", version="1", cache=cache)
    warm = plain.build(tmp_path / "warm", version="1", cache=cache, workers=1)
    assert contents(without) == contents(cold) == contents(warm)
    assert "install" in cold.seconds
    assert "install" not in warm.seconds
    assert len(entries(cache, "dependencies")) == 1

    # A change: what is kept serves it, and again nothing differs from a build without.
    plain.commit({"tool/one.py": "x = 2\n", "tool/two.py": "y = 1\n"})
    changed = plain.build(tmp_path / "changed", version="2", cache=cache)
    again = plain.build(tmp_path / "again", version="2")
    assert contents(changed) == contents(again)
    assert "install" not in changed.seconds


@pytest.mark.parametrize("what", ["content", "index", "cut"])
def test_damage_is_mended_and_never_released(plain: Repository, tmp_path: Path, what: str) -> None:
    cache = tmp_path / "cache"
    wanted = contents(plain.build(tmp_path / "wanted", version="1", cache=cache))
    (kept,) = entries(cache, "dependencies")
    data = bytearray(kept.read_bytes())
    if what == "cut":
        data = data[: len(data) // 2]
    else:
        data[len(data) // 3 if what == "content" else -100] ^= 1
    kept.write_bytes(data)
    # Without compressed members, contents must be read.
    for path in entries(cache, "members"):
        path.unlink()
    mended = plain.build(tmp_path / "mended", version="1", cache=cache)
    assert contents(mended) == wanted
    assert "install" in mended.seconds
    warm = plain.build(tmp_path / "warm", version="1", cache=cache)
    assert contents(warm) == wanted
    assert "install" not in warm.seconds


def test_a_lock_that_changed_is_installed_anew(plain: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    plain.build(tmp_path / "one", version="1", cache=cache)
    plain.commit({"requirements.txt": lock(DEPENDENCIES[0])})
    built = plain.build(tmp_path / "two", version="2", cache=cache)
    assert "install" in built.seconds
    assert [one.name for one in built.manifest.dependencies] == ["itsdangerous"]


def test_what_another_castoff_installed_is_installed_anew(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    plain.build(tmp_path / "one", version="1", cache=cache)
    assert "install" not in plain.build(tmp_path / "two", version="2", cache=cache).seconds
    for number, changed in enumerate(("version", "own_code")):
        monkeypatch.setattr(dependencies, changed, lambda *_: "another")
        again = plain.build(tmp_path / f"again-{number}", version="3", cache=cache)
        assert "install" in again.seconds


def test_a_cache_that_cannot_be_written_is_gone_without(plain: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    built = plain.build(tmp_path / "built", version="1", cache=tmp_path / "file" / "cache")
    without = plain.build(tmp_path / "without", version="1")
    assert contents(built) == contents(without)
