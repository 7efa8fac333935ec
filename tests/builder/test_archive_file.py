"""An archive's digest is that of its bytes, however they come."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from castoff.builder.archive_file import ArchiveFile
from castoff.store.digest import sha256_file


@pytest.mark.parametrize("sizes", [[], [0], [1, 2, 3], [600_000] * 5, [5, 3_000_000, 7, 400_000]])
def test_digest_and_size_are_those_of_what_was_written(tmp_path: Path, sizes: list[int]) -> None:
    pieces = [random.Random(size).randbytes(size) for size in sizes]
    with ArchiveFile(tmp_path / "file") as file:
        for piece in pieces:
            file.write(piece)
        found = file.sha256()
        assert file.sha256() == found
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)
    assert (file.size, found) == (sum(sizes), sha256_file(tmp_path / "file"))


def test_few_blocks_are_in_memory_at_once(tmp_path: Path) -> None:
    with ArchiveFile(tmp_path / "file") as file:
        for _ in range(50):
            file.write(bytes(600_000))
            assert len(file._waiting) <= 2
        file.sha256()


def test_a_disk_that_takes_no_more_is_told() -> None:
    with pytest.raises(OSError, match="No space"), ArchiveFile(Path("/dev/full")) as file:
        file.write(bytes(600_000))
