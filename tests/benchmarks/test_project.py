"""The trees that all tools bring to hosts have the times that those of a folder in use have."""

from __future__ import annotations

import os
from pathlib import Path

from release_work.project import _keep_times


def test_rsync_sees_by_the_time_which_file_has_changed_within_a_second(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, version, moment in ((old, "1", 1000.2), (new, "2", 1000.9)):
        folder.mkdir()
        for name, text in (("same", "x"), ("version", version)):
            (folder / name).write_text(text)
            os.utime(folder / name, (moment, moment))
    _keep_times(old, new)
    assert (new / "same").stat().st_mtime_ns == (old / "same").stat().st_mtime_ns
    assert int((new / "version").stat().st_mtime) > int((old / "version").stat().st_mtime)
