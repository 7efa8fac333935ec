"""A finished part of a tree that the cache has, and that need not be written to disk again."""

from __future__ import annotations

import hashlib
import os
from array import array
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.pack import Damaged, Pack
from castoff.builder.rows import FILE, FOLDER, LINK, PROGRAM, Rows, TreeFile
from castoff.builder.settled import Settled

_BLOCK = 1024 * 1024
_NO_FILE = (0, 0, bytes(32))


@dataclass(frozen=True, slots=True)
class Layer:
    """What fills one folder of a tree.

    Attributes:
        pack: The cache's entry, which contents are read from.
        under: The folder, at the tree's top; no other name there begins with its name.
        rows: All that is in it, itself too, by paths from the tree's top.
        settled: What an earlier build made of all this; None if none has.
    """

    pack: Pack
    under: str
    rows: Rows
    settled: Settled | None = None

    @classmethod
    def of(cls, pack: Pack, under: str) -> Layer:
        """Take a pack as the content of one folder of the tree."""
        return cls(pack, under, _rows(pack, under))

    def has(self, path: str) -> bool:
        """Say whether a path of the tree is one of the layer's."""
        return path == self.under or path.startswith(f"{self.under}/")

    def read(self, path: str, start: int, length: int) -> bytes:
        """Return a part of a file, unchecked; less at its end."""
        number = self.rows.index[path]
        length = min(length, self.rows.sizes[number] - start)
        return self.pack.read_at(self.rows.starts[number] + start, length)

    def read_file(self, file: TreeFile, start: int, length: int) -> bytes:
        """Return a part of a file, unchecked; less at its end."""
        return self.read(file.path, start, length)

    def lay_out(self, top: Path, *, read_only: bool = False) -> None:
        """Write all that is in it.

        Args:
            top: The tree's folder, in which the layer's own is still missing.
            read_only: Whether files get no right to be written.

        Raises:
            Damaged: A file does not fit its digest.
            OSError: `top` cannot be written.
        """
        modes = {FILE: 0o444, PROGRAM: 0o555} if read_only else {FILE: 0o644, PROGRAM: 0o755}
        for number, path in enumerate(self.rows.paths):
            place, kind = f"{top}/{path}", self.rows.kinds[number]
            if kind == FOLDER:
                os.mkdir(place, 0o755)  # noqa: PTH102 - there are ten thousand of all
            elif kind == LINK:
                os.symlink(self.rows.targets[path], place)  # noqa: PTH211
            else:
                self._write(number, place, modes[kind])

    def _write(self, number: int, place: str, mode: int) -> None:
        start, size, digest = self.rows.starts[number], self.rows.sizes[number], hashlib.sha256()
        opened = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            for begin in range(start, start + size, _BLOCK):
                block = self.pack.read_at(begin, min(_BLOCK, start + size - begin))
                digest.update(block)
                while block:
                    block = block[os.write(opened, block) :]
        finally:
            os.close(opened)
        if digest.hexdigest() != self.rows.file(number).sha256:
            raise Damaged

    def check(self, path: str) -> None:
        """Compare a file's content with its digest.

        Raises:
            Damaged: They differ.
        """
        number = self.rows.index[path]
        file = self.rows.file(number)
        self.pack.check_at(self.rows.starts[number], file.size, file.sha256)


def _rows(pack: Pack, under: str) -> Rows:
    entries = [(under, FOLDER, *_NO_FILE)]
    entries += [(f"{under}/{path}", FOLDER, *_NO_FILE) for path in pack.folders]
    entries += [(f"{under}/{path}", LINK, *_NO_FILE) for path in pack.links]
    entries += [
        (
            f"{under}/{path}",
            PROGRAM if mode & 0o100 else FILE,
            size,
            start,
            bytes.fromhex(sha256),
        )
        for path, mode, size, sha256, start in pack.rows()
    ]
    # By code points, which is the order of UTF-8.
    entries.sort(key=lambda entry: entry[0])
    paths, kinds, sizes, starts, digests = zip(*entries, strict=True)
    targets = {f"{under}/{path}": target for path, target in pack.links.items()}
    return Rows(
        paths, bytes(kinds), array("Q", sizes), array("Q", starts), b"".join(digests), targets
    )
