"""A failure that passes does not make all later builds slow."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from castoff.builder.cache import Cache
from castoff.builder.layer import Layer
from castoff.builder.on_disk import OnDisk
from castoff.builder.removal import Removal

KEY = "00" * 32


class Passing(Exception):
    pass


def test_only_what_fails_twice_is_done_with_files_of_its_own_from_then_on(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "dep.py").write_text("")
    cache = Cache(tmp_path / "cache")
    cache.write_tree("dependencies", KEY, source)
    pack = cache.open_tree("dependencies", KEY)
    assert pack is not None
    layer = Layer.of(pack, "lib")

    def build(number: int, *, fails: bool) -> tuple[list[bool], int]:
        """Return whether each run was with files of all builds, and how often it was told of."""
        tree = tmp_path / f"{number}"
        tree.mkdir()
        runs: list[bool] = []
        told: list[str] = []

        def work() -> str:
            runs.append((tree / "lib").is_symlink())
            if fails and runs[-1]:
                raise Passing
            return "done"

        with Removal() as removal:
            workshop: Any = SimpleNamespace(folder=tree, removal=removal)
            on_disk = OnDisk(tree, workshop, cache, layer=layer, key="key")
            assert on_disk.run(work, failure=Passing, warn=told.append) == "done"
        return runs, len(told)

    assert build(1, fails=True) == ([True, False], 1)
    assert build(2, fails=False) == ([True], 0)
    assert build(3, fails=True) == ([True, False], 1)
    assert build(4, fails=True) == ([False], 1)
    cache.close()
