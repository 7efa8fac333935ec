"""Trees that are written entry by entry, each in the directory that it names."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from castoff.releaser.agent.writer import TreeWriter

DEEP = "/".join(["d"] * 150)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]


def test_files_land_where_they_belong_in_whatever_order_they_come(tmp_path: Path) -> None:
    chance = random.Random(3)
    folders = {DEEP, "a", "ab", "a/b/a", "a/b/ab", "b/a", f"{DEEP}/e"}
    folders |= {"/".join(chance.choices("abc", k=chance.randint(1, 6))) for _ in range(60)}
    every = sorted({path for folder in folders for path in above(folder)})
    files = [f"{folder}/file" for folder in every] + ["file"]
    chance.shuffle(files)
    before = descriptors()
    with TreeWriter(str(tmp_path)) as writer:
        for folder in every:
            writer.directory(folder)
        for path in files:
            descriptor = writer.file(path)
            os.write(descriptor, path.encode())
            os.close(descriptor)
            assert descriptors() - before <= 70
    assert descriptors() == before
    for path in files:
        assert (tmp_path / path).read_text() == path
    found = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("file")]
    assert sorted(found) == sorted(files)


@pytest.mark.parametrize("missing", ["a/b/none/c", f"{DEEP}/none/c", "a/link/c"])
def test_what_failed_leads_nothing_astray(tmp_path: Path, missing: str) -> None:
    (tmp_path / "other").mkdir()
    with TreeWriter(str(tmp_path)) as writer:
        for folder in sorted({*above("a/b/c"), *above(DEEP)}):
            writer.directory(folder)
        writer.link("a/link", "../other")
        with pytest.raises(OSError, match=r"none|link"):
            writer.file(f"{missing}/file")
        for path in ("a/b/file", "file", "d/file", f"{DEEP}/file", "a/b/c/file"):
            os.close(writer.file(path))
            assert (tmp_path / path).is_file()
    assert not list((tmp_path / "other").iterdir())


def test_folders_have_the_same_mode_whatever_their_top_hands_down(tmp_path: Path) -> None:
    tmp_path.chmod(0o2755)
    every = ["a", "a/b", "a/b/c", "d", "d/e"]
    with TreeWriter(str(tmp_path)) as writer:
        for folder in every:
            writer.directory(folder)
    assert {oct((tmp_path / folder).stat().st_mode) for folder in every} == {"0o40755"}
