from __future__ import annotations

from pathlib import Path

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import Root
from castoff.builder.assets.shown_paths import shown, with_paths
from support.asset_builds import write


def test_files_are_named_by_the_paths_of_the_root_that_counts(tmp_path: Path) -> None:
    app = write(tmp_path / "app", {"own/a.css": "", "theirs/a.css": "", "theirs/b.scss": ""})
    write(tmp_path / "collected", {"admin/c.css": ""})
    roots = [
        Root(app / "own"),
        Root(app / "theirs"),
        Root(app / "theirs", "x"),
        Root(tmp_path / "collected"),
    ]
    told = {
        "a.css:3:1: broken": "own/a.css:3:1: broken",
        "x/a.css: broken": "theirs/a.css: broken",
        "b.scss: it names d.png in b.css": "theirs/b.scss: it names d.png in b.css",
        "admin/c.css:3: it names a.css": "admin/c.css:3: it names a.css",
        "package.json: broken": "package.json: broken",
    }
    assert shown("\n".join(told), roots, app) == "\n".join(told.values())
    error = with_paths(AssetError("broken", file="a.css", line=3, hint="Mend it."), roots, app)
    assert (error.message, error.hint) == ("own/a.css:3: broken", "Mend it.")
    assert (error.file, error.line) == ("a.css", 3)
