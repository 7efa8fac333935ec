"""What a finished part of a tree holds, as columns: ten thousand entries are read at once.

Objects for each would take longer to make than all that is done with them; see `Rows.file`.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from castoff.store import canonical
from castoff.store.filetable import Link

# Kinds of entries: folder, file, file that runs, symbolic link.
FOLDER, FILE, PROGRAM, LINK = b"dfxl"
_DIGEST = 32
_NUMBER = 8


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A regular file of a tree; see `castoff.store.filetable.File`."""

    path: str
    executable: bool
    size: int
    sha256: str


@dataclass(frozen=True)
class Rows:
    """Entries in the order of their UTF-8 paths.

    Attributes:
        paths: From the tree's top.
        kinds: A byte for each.
        sizes: Bytes; 0 for what is no file.
        starts: Where each file's content begins in the pack; 0 likewise.
        digests: SHA-256, 32 bytes each; zeros likewise.
        targets: Of links, by path.
    """

    paths: Sequence[str]
    kinds: bytes
    sizes: array[int]
    starts: array[int]
    digests: bytes
    targets: Mapping[str, str]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.paths)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The number of each entry, by its path."""
        return {path: number for number, path in enumerate(self.paths)}

    def of_kind(self, *kinds: int) -> Iterator[str]:
        """Yield the paths of all entries of some kinds."""
        return (path for path, kind in zip(self.paths, self.kinds, strict=True) if kind in kinds)

    def inside(self, folder: str) -> Iterator[str]:
        """Yield the paths of what lies in a folder itself."""
        begin = f"{folder}/"
        for number in range(bisect(self.paths, begin), len(self)):
            path = self.paths[number]
            if not path.startswith(begin):
                return
            if "/" not in path[len(begin) :]:
                yield path

    def is_file(self, number: int) -> bool:
        """Say whether an entry is a regular file."""
        return self.kinds[number] in (FILE, PROGRAM)

    def file(self, number: int) -> TreeFile:
        """Return one file."""
        digest = self.digests[number * _DIGEST : (number + 1) * _DIGEST].hex()
        program = self.kinds[number] == PROGRAM
        return TreeFile(self.paths[number], program, self.sizes[number], digest)

    def entry(self, number: int) -> str | TreeFile | Link:
        """Return one entry; a folder as its path."""
        path, kind = self.paths[number], self.kinds[number]
        if kind == FOLDER:
            return path
        return Link(path, self.targets[path]) if kind == LINK else self.file(number)

    @property
    def files(self) -> Iterator[TreeFile]:
        """All files."""
        return (self.file(number) for number in range(len(self)) if self.is_file(number))

    def part(self, begin: int, end: int) -> Rows:
        """Return the entries from one on, up to another."""
        return Rows(
            self.paths[begin:end],
            self.kinds[begin:end],
            self.sizes[begin:end],
            self.starts[begin:end],
            self.digests[begin * _DIGEST : end * _DIGEST],
            self.targets,
        )

    def to_bytes(self) -> list[bytes]:
        """Return the columns, for this kind of machine."""
        return [
            "\n".join(self.paths).encode(),
            self.kinds,
            self.sizes.tobytes(),
            self.starts.tobytes(),
            self.digests,
            canonical.dumps(self.targets),
        ]

    @classmethod
    def from_bytes(cls, columns: Sequence[bytes]) -> Rows:
        """Take what `to_bytes` returned."""
        paths, kinds, sizes, starts, digests, targets = columns
        return cls(
            # No name in a tree holds a newline.
            paths.decode().split("\n"),
            kinds,
            _numbers(sizes),
            _numbers(starts),
            digests,
            json.loads(targets),
        )


def _numbers(data: bytes) -> array[int]:
    numbers = array("Q")
    numbers.frombytes(data)
    return numbers
