"""Several paths that are restored change places all together, or not at all."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.builtins.deadline import Deadline
from castoff.releaser.agent.builtins.shared_files import Database
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.parameters import Parameters


def test_what_had_changed_is_as_it_was_when_a_later_one_cannot(root: Path) -> None:
    layout = Layout(str(root))
    layout.make()
    shared = root / "shared"
    for name in ("media", "papers"):
        (shared / name).mkdir()
        (shared / name / "old").touch()
        (shared / f".{name}.restoring").mkdir()
        (shared / f".{name}.restoring/new").touch()
    # Nothing can be renamed to a folder that is not empty.
    (shared / "papers.before-x").mkdir()
    (shared / "papers.before-x/kept").touch()
    files = Database(layout, Parameters({}), Parameters({"paths": ["media", "papers"]}))
    before = sorted(str(path) for path in shared.rglob("*"))
    with pytest.raises(OSError, match="not empty"):
        files.swap("restoring", ".before-x", Deadline("restore", 60))
    assert sorted(str(path) for path in shared.rglob("*")) == before


def test_what_goes_while_it_is_read_is_left_out(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app goes on meanwhile, and what it uploads has other names a moment later."""
    layout = Layout(str(root))
    layout.make()
    media = root / "shared" / "media"
    (media / "folder").mkdir(parents=True)
    for name in ("a", "b", "folder/c"):
        (media / name).write_text(name)
    (media / "link").symlink_to("a")
    look = os.lstat

    def last_look(path: Any) -> os.stat_result:
        found = look(path)
        if Path(path).name in ("b", "folder", "link"):
            Path(path).rename(root / Path(path).name)
        return found

    files = Database(layout, Parameters({}), Parameters({"paths": ["media"]}))
    monkeypatch.setattr(os, "lstat", last_look)
    data = b"".join(files.dump(Deadline("media", 60)))
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
        assert archive.getnames() == ["media", "media/a", "media/folder"]
