"""What changes between two versions, and the bytes that a host must fetch for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from castoff.store.difference import GAP, Change, Difference, difference
from castoff.store.file_kinds import FileChange
from castoff.store.filetable import FileTable
from castoff.store.local_artifact import LocalArtifact, open_table
from castoff.store.manifest import Target
from support.archives import Content
from support.trees import write_tree

TARGET = Target(python="3.11", exact_python=False, requires_python="", machine="", glibc="")


def table_of(artifact: LocalArtifact) -> FileTable:
    return open_table(artifact.table.read_bytes(), artifact.manifest, origin="table")


def compare(
    folder: Path,
    old: dict[str, Content],
    new: dict[str, Content],
    *,
    old_more: dict[str, Any] | None = None,
    new_more: dict[str, Any] | None = None,
) -> Difference:
    first = write_tree(folder / "old", "1.0", old, **(old_more or {}))
    second = write_tree(folder / "new", "1.1", new, **(new_more or {}))
    return difference(first.manifest, table_of(first), second.manifest, table_of(second))


def test_files_are_added_removed_changed_and_made_executable(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        {"a": b"same", "b": b"12", "c": b"old", "run": b"#!"},
        {"a": b"same", "b": b"123", "d": b"new!", "run": (b"#!", True)},
    )

    assert found.files == (
        FileChange("b", 2, 3, "content"),
        FileChange("c", 3, None, "removed"),
        FileChange("d", None, 4, "added"),
        FileChange("run", 2, 2, "mode"),
    )
    assert not found.same_tree
    assert found.tree_growth == 2


def test_assets_change_by_the_names_that_the_project_knows(tmp_path: Path) -> None:
    a, b = "0123456789abcdef", "fedcba9876543210"
    found = compare(
        tmp_path,
        {
            "static/assets.json": b"{}",
            f"static/css/app.min.{a}.css": b"old",
            f"static/css/app.min.{a}.css.gz": b"ol",
            f"static/gone.{a}.js": b"12345",
            "static/index.html": b"<p>",
            f"static/same.{a}.js": b"same",
        },
        {
            "static/assets.json": b"{ }",
            f"static/css/app.min.{b}.css": b"newer",
            f"static/css/app.min.{b}.css.gz": b"nw",
            f"static/data.{b}.gz": b"packed by the project",
            "static/index.html": b"<b>",
            f"static/same.{a}.js": b"same",
        },
    )

    assert found.assets == (
        FileChange("static/css/app.min.css", 3, 5, "content"),
        FileChange("static/data.gz", None, 21, "added"),
        FileChange("static/gone.js", 5, None, "removed"),
        FileChange("static/index.html", 3, 3, "content"),
    )
    assert len(found.files) == 8


def test_migrations_are_told_apart(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        {"app/shop/migrations/__init__.py": b"", "app/shop/migrations/0001_start.py": b"1"},
        {
            "app/shop/migrations/__init__.py": b"#",
            "app/shop/migrations/0001_start.py": b"1",
            "app/shop/migrations/0002_more.py": b"2",
            "app/shop/migrations/__pycache__/0002_more.cpython-311.pyc": b"2",
            "app/migrations/versions/ae10_columns.py": b"3",
            "app/alembic/versions/ae11_rows.py": b"4",
            "app/versions/of_something.py": b"5",
            "lib/auth/migrations/0012_longer.sql": b"6",
        },
    )

    assert [change.path for change in found.migrations] == [
        "app/alembic/versions/ae11_rows.py",
        "app/migrations/versions/ae10_columns.py",
        "app/shop/migrations/0002_more.py",
        "lib/auth/migrations/0012_longer.sql",
    ]


def test_links_change_their_target_and_their_kind(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        {"x": b"1", "y": b"2", "was": b"file"},
        {"x": b"1", "y": b"2"},
        old_more={"links": {"to": "x"}},
        new_more={"links": {"to": "y", "was": "x"}},
    )

    assert [(change.path, change.what) for change in found.files] == [
        ("to", "content"),
        ("was", "kind"),
    ]


def test_the_same_tree_in_another_archive_is_called_the_same(tmp_path: Path) -> None:
    files: dict[str, Content] = {"a": b"1" * 5000}

    found = compare(tmp_path, files, files, new_more={"codec": "deflate"})

    assert found.same_tree
    assert found.files == ()
    assert found.format == Change("format", "tarball", "zipapp")
    assert (found.fetch.size, found.fetch.ranges) == (0, 0)


def test_dependencies_target_and_entry_points_are_told_with_both_values(tmp_path: Path) -> None:
    found = compare(
        tmp_path,
        {"a": b"1"},
        {"a": b"1"},
        old_more={
            "dependencies": {"django": "5.1", "six": "1.16", "idna": "3"},
            "entry_points": ("shop", "old"),
        },
        new_more={
            "dependencies": {"django": "5.2", "attrs": "25", "idna": "3"},
            "entry_points": ("shop", "shop-admin"),
            "target": TARGET.model_copy(update={"glibc": "2.28", "exact_python": True}),
        },
    )

    assert found.dependencies == (
        Change("attrs", None, "25"),
        Change("django", "5.1", "5.2"),
        Change("six", "1.16", None),
    )
    assert found.target == (
        Change("exact_python", "False", "True"),
        Change("glibc", "", "2.28"),
    )
    assert found.entry_points == (Change("old", "", None), Change("shop-admin", None, ""))


def test_only_members_with_content_that_is_not_there_are_fetched(tmp_path: Path) -> None:
    noise: dict[str, Content] = {f"lib/{n:02}": os.urandom(40_000) for n in range(20)}
    more: dict[str, Any] = {"raw_member": 50_000}
    changed = {**noise, "lib/10": os.urandom(40_000)}
    second = write_tree(tmp_path / "peek", "1.1", changed, raw_member=50_000)
    table = table_of(second)
    file = next(file for file in table.files if file.path == "lib/10")

    found = compare(tmp_path, noise, changed, old_more=more, new_more=more)

    assert found.fetch.ranges == 1
    assert found.fetch.size == table.members[file.member].length
    assert found.fetch.archive_size == second.manifest.archive.size


def test_content_that_only_moved_is_not_fetched(tmp_path: Path) -> None:
    found = compare(tmp_path, {"a": b"1" * 900, "b": b"2"}, {"c": b"1" * 900, "d": b"2"})

    assert [change.what for change in found.files] == ["removed", "removed", "added", "added"]
    assert (found.fetch.size, found.fetch.ranges) == (0, 0)


def test_a_file_that_spans_members_is_fetched_with_all_of_them(tmp_path: Path) -> None:
    files: dict[str, Content] = {"a": os.urandom(5_000), "z": b"last"}
    second = write_tree(tmp_path / "peek", "1.1", files, raw_member=1000)
    table = table_of(second)
    last = next(file for file in table.files if file.path == "z").member

    found = compare(tmp_path, {"z": b"last"}, files, new_more={"raw_member": 1000})

    assert last == 6
    assert found.fetch.size == sum(member.length for member in table.members[:last])


@pytest.mark.parametrize(("between", "ranges"), [(GAP // 2, 1), (GAP * 2, 2)])
def test_ranges_are_merged_over_small_gaps_and_the_gap_counts(
    tmp_path: Path, between: int, ranges: int
) -> None:
    old: dict[str, Content] = {"a": b"1", "m": os.urandom(between), "z": b"1"}
    new: dict[str, Content] = {**old, "a": b"new a", "z": b"new z"}
    more = {"raw_member": 10**7}
    second = write_tree(tmp_path / "peek", "1.1", new, raw_member=10**7)
    members = table_of(second).members

    fetch = compare(tmp_path, old, new, old_more=more, new_more=more).fetch

    assert fetch.ranges == ranges
    gap = members[1].length if ranges == 1 else 0
    assert fetch.size == members[0].length + members[2].length + gap
