"""What real builds look like to those who ask: verified, compared, divided into packages."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from castoff.builder.attest import write_attestations
from castoff.builder.build import BuildResult
from castoff.store.difference import difference
from castoff.store.errors import CorruptArtifact
from castoff.store.find import Found, found_here
from castoff.store.local_artifact import load_file
from castoff.store.packages import by_package, read_owners
from castoff.store.verify import verify_archive
from support.builds import Repository


def look(built: BuildResult) -> Found:
    return found_here(load_file(built.archive))


@pytest.mark.parametrize("kind", ["tarball", "zipapp"])
def test_a_real_archive_is_verified_and_its_damage_found(
    request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    built: BuildResult = request.getfixturevalue(kind)
    found = look(built)
    assert verify_archive(built.archive, found.manifest, found.table).files == len(
        found.table.files
    )
    member = found.table.members[len(found.table.members) // 2]
    data = bytearray(built.archive.read_bytes())
    data[member.offset + member.length // 2] ^= 1
    hurt = tmp_path / "hurt"
    hurt.write_bytes(data)

    with pytest.raises(CorruptArtifact, match=f"the member at byte {member.offset} does not"):
        verify_archive(hurt, found.manifest, found.table)


@pytest.mark.parametrize("kind", ["tarball", "zipapp"])
def test_every_file_of_a_real_release_belongs_to_a_package(
    request: pytest.FixtureRequest, kind: str
) -> None:
    built: BuildResult = request.getfixturevalue(kind)
    found = look(built)

    groups = by_package(found.manifest, found.table, read_owners(built.archive, found.table))

    names = {group.name for group in groups}
    assert {"demo", "itsdangerous", "markupsafe"} <= names
    assert not [name for name in names if name.startswith("lib/")]
    assert sum(group.size for group in groups) == built.manifest.tree_size


def test_tarball_and_zipapp_of_a_commit_hold_the_same_packages(
    tarball: BuildResult, zipapp: BuildResult
) -> None:
    one, other = look(tarball), look(zipapp)

    changes = difference(one.manifest, one.table, other.manifest, other.table)

    assert changes.dependencies == ()
    assert changes.format is not None
    assert changes.fetch.size < other.manifest.archive.size


def test_two_builds_of_a_commit_say_the_same_and_name_the_lock(
    demo: Repository, tarball: BuildResult, tmp_path: Path
) -> None:
    again = demo.build(tmp_path / "again", version="1.0")

    texts = [
        [
            path.read_text()
            for path in write_attestations(load_file(one.archive), one.lock, one.licences)
        ]
        for one in (tarball, again)
    ]

    assert texts[0] == texts[1]
    assert again.lock is not None
    lock = (demo.folder / "requirements.txt").read_bytes()
    assert again.lock.sha256 == hashlib.sha256(lock).hexdigest()
    assert again.lock.sha256 in texts[0][1]
    assert "pkg:pypi/markupsafe@3.0.2" in texts[0][0]
