"""Verification: every digest down to each file's content, and all that is wrong at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.store.digest import sha256, tree_digest
from castoff.store.errors import CorruptArtifact
from castoff.store.filetable import Codec, FileTable, Member
from castoff.store.local_artifact import LocalArtifact, open_table
from castoff.store.manifest import Manifest
from castoff.store.verify import verify_archive
from support.archives import Content
from support.trees import write_tree

CODECS: list[Codec] = ["gzip", "deflate", "stored"]
FILES: dict[str, Content] = {
    "app/empty": b"",
    "app/large.bin": bytes(range(256)) * 5_000,
    "app/main.py": b"print('hello')\n",
    "app/run": (b"#!/bin/sh\n", True),
    "lib/noise": os.urandom(700_000),
}


def table_of(artifact: LocalArtifact) -> FileTable:
    return open_table(artifact.table.read_bytes(), artifact.manifest, origin="table")


def damage(path: Path, offset: int, data: bytes = b"\xff\x00\xff") -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("raw_member", [512, 300_000])
def test_a_whole_artifact_is_found_right(tmp_path: Path, codec: Codec, raw_member: int) -> None:
    artifact = write_tree(tmp_path, "1.0", FILES, codec=codec, raw_member=raw_member)

    found = verify_archive(artifact.archive, artifact.manifest, table_of(artifact))

    assert found.files == len(FILES)
    assert found.size == artifact.manifest.tree_size
    assert found.members == len(table_of(artifact).members)


@pytest.mark.parametrize("codec", CODECS)
def test_damage_is_told_by_member_and_by_the_files_that_lie_in_it(
    tmp_path: Path, codec: Codec
) -> None:
    artifact = write_tree(tmp_path, "1.0", FILES, codec=codec, raw_member=10**7)
    table = table_of(artifact)
    hurt = next(file for file in table.files if file.path == "app/main.py")
    offset = table.members[hurt.member].offset
    damage(artifact.archive, offset)

    with pytest.raises(CorruptArtifact) as caught:
        verify_archive(artifact.archive, artifact.manifest, table)

    message = caught.value.message
    assert "the archive has SHA-256" in message
    assert f"the member at byte {offset} does not match its digest" in message
    assert "'app/main.py' cannot be read" in message
    assert "large.bin" not in message


def test_an_archive_that_was_cut_short_is_told(tmp_path: Path) -> None:
    artifact = write_tree(tmp_path, "1.0", FILES, raw_member=10**7)
    size = artifact.archive.stat().st_size
    os.truncate(artifact.archive, size - 10)

    with pytest.raises(CorruptArtifact) as caught:
        verify_archive(artifact.archive, artifact.manifest, table_of(artifact))

    assert f"the archive has {size - 10} bytes, not {size}" in caught.value.message
    assert "lies beyond the archive's end" in caught.value.message
    assert "'lib/noise' cannot be read" in caught.value.message


def test_many_faults_are_cut_short(tmp_path: Path) -> None:
    files: dict[str, Content] = {f"app/{number:02}": b"x" for number in range(30)}
    artifact = write_tree(tmp_path, "1.0", files)
    artifact.archive.write_bytes(b"")

    with pytest.raises(CorruptArtifact, match=r"and 41 more$"):
        verify_archive(artifact.archive, artifact.manifest, table_of(artifact))


def lying(artifact: LocalArtifact, member: Member) -> tuple[Manifest, FileTable]:
    """Return manifest and table of an archive about whose one member the table lies."""
    old = table_of(artifact)
    table = FileTable((member,), old.directories, old.files, old.links)
    return artifact.manifest.model_copy(update={"tree_sha256": tree_digest(table)}), table


@pytest.mark.parametrize(
    ("change", "complaint"),
    [(1, "holds less than it should"), (-1, "holds more than it should")],
)
def test_a_table_that_lies_about_lengths_is_found_out(
    tmp_path: Path, change: int, complaint: str
) -> None:
    artifact = write_tree(tmp_path, "1.0", {"app/a": b"a" * 9000}, raw_member=10**7)
    (member,) = table_of(artifact).members
    lie = Member(
        member.offset, member.length, member.raw_length + change, member.sha256, member.codec
    )

    with pytest.raises(CorruptArtifact, match=complaint):
        verify_archive(artifact.archive, *lying(artifact, lie))


def test_something_behind_a_member_is_found_out(tmp_path: Path) -> None:
    artifact = write_tree(tmp_path, "1.0", {"app/a": b"a" * 9000}, raw_member=10**7)
    (member,) = table_of(artifact).members
    data = artifact.archive.read_bytes() + b"more"
    artifact.archive.write_bytes(data)
    lie = Member(0, len(data), member.raw_length, sha256(data), member.codec)

    with pytest.raises(CorruptArtifact, match="is followed by something else"):
        verify_archive(artifact.archive, *lying(artifact, lie))


def test_what_is_not_compressed_at_all_is_found_out(tmp_path: Path) -> None:
    artifact = write_tree(tmp_path, "1.0", {"app/a": b"a" * 9000}, raw_member=10**7)
    data = b"no gzip"
    artifact.archive.write_bytes(data)
    lie = Member(0, len(data), 9000, sha256(data), "gzip")

    with pytest.raises(CorruptArtifact, match="cannot be unpacked"):
        verify_archive(artifact.archive, *lying(artifact, lie))


def test_a_file_beyond_the_last_member_is_found_out(tmp_path: Path) -> None:
    artifact = write_tree(tmp_path, "1.0", {"app/a": b"a" * 9000}, raw_member=1000)
    old = table_of(artifact)
    table = FileTable(old.members[:-1], old.directories, old.files, old.links)

    with pytest.raises(CorruptArtifact, match=r"'app/a' cannot be read: it lies beyond"):
        verify_archive(artifact.archive, artifact.manifest, table)
