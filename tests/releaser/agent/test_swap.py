"""A finished tree takes its place, by whatever renames the file system offers."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from castoff.releaser.agent import swap
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.swap import put_in_place


@pytest.fixture
def layout(root: Path) -> Layout:
    layout = Layout(str(root))
    layout.make()
    return layout


def tree(layout: Layout, content: str) -> str:
    folder = Path(layout.staging) / "tree"
    folder.mkdir()
    (folder / "file").write_text(content)
    return str(folder)


def cannot_exchange(_one: str, _other: str) -> None:
    raise OSError(errno.EINVAL, "no such flag here")


def test_a_new_release_is_renamed_to_where_it_belongs(layout: Layout, root: Path) -> None:
    put_in_place(layout, tree(layout, "new"), "1.0")
    assert (root / "releases/1.0/file").read_text() == "new"
    assert list(Path(layout.trash).iterdir()) == []


@pytest.mark.parametrize("exchange", ["there", "unknown to the library", "refused"])
def test_the_old_one_goes_to_the_trash_whatever_the_system_can_do(
    layout: Layout, root: Path, monkeypatch: pytest.MonkeyPatch, exchange: str
) -> None:
    put_in_place(layout, tree(layout, "old"), "1.0")
    if exchange != "there":
        call = None if exchange == "unknown to the library" else cannot_exchange
        monkeypatch.setattr(swap, "_renameat2", lambda: call)
    put_in_place(layout, tree(layout, "new"), "1.0")
    assert (root / "releases/1.0/file").read_text() == "new"
    (old,) = Path(layout.trash).iterdir()
    assert (old / "file").read_text() == "old"
    assert list(Path(layout.staging).iterdir()) == []


def test_where_the_second_of_two_renames_fails_the_old_one_is_back(
    layout: Layout, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_place(layout, tree(layout, "old"), "1.0")
    monkeypatch.setattr(swap, "_renameat2", lambda: None)
    with pytest.raises(FileNotFoundError):
        swap.exchange(str(root / "nowhere"), str(root / "releases/1.0"), str(root / "spare"))
    assert (root / "releases/1.0/file").read_text() == "old"
