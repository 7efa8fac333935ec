"""Digests of bytes, files and trees."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from castoff.store.digest import sha256, sha256_file, tree_digest
from castoff.store.filetable import File, FileTable, Link

EMPTY = FileTable(members=(), directories=(), files=(), links=())


def file(path: str, content: bytes = b"", *, executable: bool = False) -> File:
    return File(path, executable, len(content), sha256(content), 0, 0)


def tree(
    *, directories: tuple[str, ...] = (), files: tuple[File, ...] = (), links: tuple[Link, ...] = ()
) -> str:
    return tree_digest(FileTable(members=(), directories=directories, files=files, links=links))


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1])
def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path, size: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * size)

    assert sha256_file(tmp_path / "file") == sha256(b"x" * size)


def test_the_records_of_a_tree_are_those_that_are_documented() -> None:
    records = (
        b"d\0bin\0\n"
        b"f\x00755\x002\x00" + sha256(b"hi").encode() + b"\0bin/run\0\n" + b"l\0run\0bin/start\0\n"
    )

    assert (
        tree(
            directories=("bin",),
            files=(file("bin/run", b"hi", executable=True),),
            links=(Link("bin/start", "run"),),
        )
        == hashlib.sha256(records).hexdigest()
    )


def test_the_order_in_a_table_leaves_no_trace() -> None:
    one, two = file("a/b"), file("a.b")

    assert tree(files=(one, two), directories=("a",)) == tree(files=(two, one), directories=("a",))


def test_every_part_of_a_tree_counts() -> None:
    trees = [
        tree(),
        tree(directories=("a",)),
        tree(files=(file("a"),)),
        tree(files=(file("a", executable=True),)),
        tree(files=(file("a", b"x"),)),
        tree(files=(file("b"),)),
        tree(links=(Link("a", "b"),)),
        tree(links=(Link("b", "a"),)),
    ]

    assert len(set(trees)) == len(trees)


def test_where_bytes_lie_in_the_archive_does_not_count() -> None:
    assert tree(files=(File("a", False, 0, sha256(b""), 3, 17),)) == tree(files=(file("a"),))
