"""Files that are complete before anybody can see them."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from castoff.store.durable import move


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_file_is_moved_from_any_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool
) -> None:
    source, target = tmp_path / "made", tmp_path / "place/file"
    target.parent.mkdir()
    target.write_text("old")
    source.write_text("new")
    source.chmod(0o755)
    if elsewhere:
        real = Path.replace

        def replace(path: Path, to: Path) -> Path:
            if path == source:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(path))
            return real(path, to)

        monkeypatch.setattr(Path, "replace", replace)
    move(source, target)
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o111
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "place"]


def test_what_cannot_be_moved_leaves_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(FileNotFoundError):
        move(tmp_path / "missing", tmp_path / "file")
    assert (tmp_path / "file").read_text() == "old"
