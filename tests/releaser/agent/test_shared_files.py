"""Several paths that are restored change places all together, or not at all."""

from __future__ import annotations

from pathlib import Path

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
