from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.assets.collect import collect
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import Root


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def names(*roots: Root, exclude: tuple[str, ...] = ()) -> list[str]:
    return [source.name for source in collect(roots, exclude)]


def test_stylesheets_become_css_and_partials_nothing(tmp_path: Path) -> None:
    root = touch(tmp_path, "a.scss", "b.sass", "c.less", "_d.scss", "e/_f.less", "_g.css", "h.js")
    assert names(Root(root)) == ["_g.css", "a.css", "b.css", "c.css", "h.js"]


def test_hidden_files_backups_and_packages_are_no_assets(tmp_path: Path) -> None:
    root = touch(tmp_path, ".git/x", ".env", "a.js~", "node_modules/x/y.js", "CVS/x", "a.js")
    assert names(Root(root)) == ["a.js"]


def test_excluded_files_are_no_assets(tmp_path: Path) -> None:
    root = touch(tmp_path, "a.js", "b/c.js", "b/d.css", "src/x/y.scss")
    assert names(Root(root), exclude=("*.css", "src/*")) == ["a.js", "b/c.js"]


def test_a_prefix_stands_before_every_name(tmp_path: Path) -> None:
    assert names(Root(touch(tmp_path, "a/b.js"), "vendor/x")) == ["vendor/x/a/b.js"]


def test_the_first_root_counts(tmp_path: Path) -> None:
    one = touch(tmp_path / "one", "a.js", "b.scss")
    two = touch(tmp_path / "two", "a.js", "b.css", "c.js")
    found = collect([Root(one), Root(two)], ())
    assert [(source.name, source.root.folder.name) for source in found] == [
        ("a.js", "one"),
        ("b.css", "one"),
        ("c.js", "two"),
    ]


def test_two_sources_of_one_file_are_refused(tmp_path: Path) -> None:
    root = touch(tmp_path, "a.css", "a.scss")
    with pytest.raises(AssetError, match=r"a\.css and a\.scss both become a\.css"):
        collect([Root(root)], ())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"nowhere: there is no such folder"):
        collect([Root(tmp_path / "nowhere")], ())
