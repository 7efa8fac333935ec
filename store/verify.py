"""Check an artifact down to the content of each file, and say all that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from castoff.store.digest import sha256_file
from castoff.store.errors import CorruptArtifact, StoreError
from castoff.store.filetable import FileTable
from castoff.store.manifest import Manifest
from castoff.store.unpack import ArchiveReader, Damaged, raw_blocks

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What was checked and found right.

    Attributes:
        members: Independently compressed parts of the archive.
        files: Files whose content was unpacked and hashed.
        size: Bytes of that content.
    """

    members: int
    files: int
    size: int


def verify_archive(archive: Path, manifest: Manifest, table: FileTable) -> Verified:
    """Check an archive against its manifest and file table, unpacking it in memory.

    The table itself has been checked against the manifest when it was read, tree digest and all
    (`local_artifact.open_table`), so files that match the table add up to the tree.

    Args:
        archive: The tarball or zipapp.
        manifest: Names its size and digest.
        table: Names its members and files.

    Raises:
        CorruptArtifact: The message has a line for each thing that is wrong: the archive as a
            whole, members, files by path.
        StoreError: The archive cannot be read.
    """
    try:
        whole = list(_whole(archive, manifest))
        with archive.open("rb") as file:
            wrong = [*whole, *_members(file, table), *_files(file, table)]
    except OSError as error:
        raise StoreError(f"{archive}: {error.strerror}") from error
    if wrong:
        shown = [f"  {line}" for line in wrong[:_MOST_NAMED]]
        if len(wrong) > _MOST_NAMED:
            shown.append(f"  and {len(wrong) - _MOST_NAMED} more")
        raise CorruptArtifact(
            "\n".join([f"{manifest.app} {manifest.version} is damaged: {archive}", *shown]),
            hint="Fetch it again from where it is whole, or build it anew under a new version.",
        )
    return Verified(
        members=len(table.members),
        files=len(table.files),
        size=sum(file.size for file in table.files),
    )


def _whole(archive: Path, manifest: Manifest) -> Iterator[str]:
    size = archive.stat().st_size
    if size != manifest.archive.size:
        yield f"the archive has {size} bytes, not {manifest.archive.size}"
    elif (found := sha256_file(archive)) != manifest.archive.sha256:
        yield f"the archive has SHA-256 {found}, not {manifest.archive.sha256}"


def _members(archive: BinaryIO, table: FileTable) -> Iterator[str]:
    for member in table.members:
        try:
            for _ in raw_blocks(archive, member):
                pass
        except Damaged as damage:
            yield str(damage)


def _files(archive: BinaryIO, table: FileTable) -> Iterator[str]:
    reader = ArchiveReader(archive, table)
    for file in sorted(table.files, key=lambda file: (file.member, file.start)):
        digest = hashlib.sha256()
        try:
            for block in reader.content(file):
                digest.update(block)
        except Damaged as damage:
            yield f"{file.path!r} cannot be read: {damage}"
            continue
        if digest.hexdigest() != file.sha256:
            yield f"{file.path!r} has other content than the file table says"
