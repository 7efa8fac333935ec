from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.builder.errors import SourceError
from castoff.builder.requirements import applying, located, read_requirements

HASH = "--hash=sha256:" + "a" * 64


def test_pinned_lines_are_kept_with_their_options() -> None:
    text = f"""\
# by a tool
-i https://index.example.org/simple
one==1 ; python_version > "3" \\
    {HASH} \\
    {HASH}
    # via two
two==2 {HASH}  # why
"""
    read = read_requirements(text, name="requirements.txt")
    assert read.local == ()
    assert read.pinned.splitlines() == [
        "-i https://index.example.org/simple",
        f'one==1 ; python_version > "3"      {HASH}      {HASH}',
        f"two==2 {HASH}",
    ]


def test_all_lines_without_a_hash_are_named() -> None:
    with pytest.raises(SourceError, match=r"one==1, three>=3") as caught:
        read_requirements(f"one==1\ntwo==2 {HASH}\nthree>=3; os_name == 'nt'\n", name="r.txt")
    assert "--generate-hashes" in caught.value.hint


def test_an_empty_hash_is_none() -> None:
    with pytest.raises(SourceError, match=r"installed: one==1$"):
        read_requirements("one==1 --hash=\n", name="Pipfile.lock")


def test_what_applies_elsewhere_is_left_out() -> None:
    markers = {"python_version": "3.12", "sys_platform": "linux"}
    text = f"""\
-i https://index.example.org/simple
-e ./here
one[more]==1 ; python_version >= "3.10" {HASH}
two ; sys_platform == "win32"
"""
    assert applying(text, markers, name="poetry.lock").splitlines() == [
        "-i https://index.example.org/simple",
        "-e ./here",
        f"one[more]==1 {HASH}",
    ]
    with pytest.raises(SourceError, match=r"poetry\.lock: cannot read"):
        applying("== 1\n", markers, name="poetry.lock")


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("--find-links ./vendor", "--find-links file:///some%20where/vendor"),
        ("--find-links=vendor", "--find-links file:///some%20where/vendor"),
        ("-f ../vendor", "--find-links file:///vendor"),
        ("-f /vendor", "-f /vendor"),
        ("--find-links https://example.org/wheels", "--find-links https://example.org/wheels"),
        ("--find-links ${WHEELS}/all", "--find-links ${WHEELS}/all"),
        ("--find-links-of-mine x", "--find-links-of-mine x"),
        (f"foo==1 {HASH}", f"foo==1 {HASH}"),
    ],
)
def test_folders_of_wheels_are_found_from_anywhere(entry: str, wanted: str) -> None:
    folder = Path("/some where")
    said = located(f"{entry}\n", lambda name: Path(os.path.normpath(folder / name)))
    assert said == f"{wanted}\n"


def test_of_very_many_lines_without_a_hash_the_first_are_named() -> None:
    with pytest.raises(SourceError, match=r"p0==1, p1==1, p2==1, p3==1, p4==1 and 35 more$"):
        read_requirements("".join(f"p{n}==1\n" for n in range(40)), name="requirements.txt")


def test_a_repository_of_git_is_not_a_digest() -> None:
    with pytest.raises(SourceError, match="without a hash"):
        read_requirements("one @ git+https://example.org/one@abc\n", name="requirements.txt")


@pytest.mark.parametrize("line", ["-r base.txt", "--requirement=base.txt", "-c limits.txt"])
def test_other_files_are_not_taken_in_unread(line: str) -> None:
    with pytest.raises(SourceError, match="takes another file in"):
        read_requirements(line, name="requirements.txt")


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("./packages/one", "./packages/one"),
        ("-e ./packages/one", "./packages/one"),
        ("--editable ../two ; os_name == 'posix'", "../two"),
        ("-e .", "."),
    ],
)
def test_folders_of_the_repository_are_told_apart(line: str, folder: str) -> None:
    read = read_requirements(f"{line}\nfoo==1 {HASH}\n", name="uv.lock")
    assert read.local == (folder,)
    assert read.pinned == f"foo==1 {HASH}\n"


def test_a_marker_that_compares_what_cannot_be_compared_is_told() -> None:
    line = f'one==1 ; os_name ~= "posix" {HASH}\n'
    with pytest.raises(SourceError, match="cannot read"):
        applying(line, {"os_name": "posix"}, name="requirements.txt")
