from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.builder.errors import BuildError
from castoff.builder.links import leaves
from castoff.builder.tree import walk
from castoff.store.filetable import Link


def test_everything_is_listed_in_the_order_of_utf8(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a-b", "é", "Z", "𐀀", "\uffee"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "b").chmod(0o755)
    (tmp_path / "link").symlink_to("a/../b")
    tree = walk(tmp_path)
    assert [file.path for file in tree.files] == ["Z", "a-b", "a/z", "b", "é", "\uffee", "𐀀"]
    assert [file.path for file in tree.files if file.executable] == ["b"]
    assert tree.directories == ("a",)
    assert tree.links == (Link("link", "a/../b"),)


@pytest.mark.parametrize(
    "links",
    [
        {"out": "/etc/passwd"},
        {"out": ".."},
        {"a/b/out": "../../../x"},
        {"out": "a/../../x"},
        # By way of another link: `deep` is two folders down, `out` goes three up.
        {"deep": "a/b", "out": "deep/../../../x"},
        {"round": "about", "about": "round"},
    ],
)
def test_links_that_leave_the_tree_are_refused(tmp_path: Path, links: dict[str, str]) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    for path, target in links.items():
        (tmp_path / path).symlink_to(target)
    with pytest.raises(BuildError, match="leaves the release"):
        walk(tmp_path)


def test_links_that_stay_or_lead_nowhere_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    links = {"deep": "a/b", "a/b/up": "../../a", "x": "deep/../missing", "self": "."}
    for path, target in links.items():
        (tmp_path / path).symlink_to(target)
    assert {link.path: link.target for link in walk(tmp_path).links} == links
    assert not any(leaves(path, links) for path in links)


def test_names_that_differ_only_by_case_are_both_named(tmp_path: Path) -> None:
    (tmp_path / "Read.me").touch()
    (tmp_path / "read.ME").touch()
    with pytest.raises(BuildError, match=r"Read\.me.*read\.ME"):
        walk(tmp_path)


def test_names_that_differ_only_by_how_an_accent_is_composed_are_refused(tmp_path: Path) -> None:
    (tmp_path / "caf\u00e9").mkdir()
    (tmp_path / "cafe\u0301").mkdir()
    with pytest.raises(BuildError, match="composition"):
        walk(tmp_path)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9")).touch()
    with pytest.raises(BuildError, match=r"not UTF-8.*caf\\xe9"):
        walk(tmp_path)


@pytest.mark.parametrize("name", ["a\nb", "tab\t", "\x7f"])
def test_control_characters_in_names_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(BuildError, match="control character"):
        walk(tmp_path)


def test_set_user_id_programs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "su").touch()
    (tmp_path / "su").chmod(0o4755)
    with pytest.raises(BuildError, match="'su' is a set-user-id"):
        walk(tmp_path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BuildError, match="'pipe' is neither"):
        walk(tmp_path)
