"""What is known of an archive once it is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castoff.store.digest import sha256_file, tree_digest
from castoff.store.filetable import FileTable


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed tree.

    Attributes:
        document: Its file table.
        sha256: Digest of the archive.
        size: Bytes of the archive.
        tree_sha256: Digest of the tree, whatever it is packed in.
        tree_size: Bytes of all its files.
    """

    document: bytes
    sha256: str
    size: int
    tree_sha256: str
    tree_size: int

    @classmethod
    def of(cls, table: FileTable, archive: Path) -> Packed:
        """Look at an archive, and at its file table."""
        return cls(
            table.to_bytes(),
            sha256_file(archive),
            archive.stat().st_size,
            tree_digest(table),
            sum(file.size for file in table.files),
        )
