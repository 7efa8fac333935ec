"""Rows of a file table, held in columns: as an object each they take four times the memory."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from .spill import Spill, Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CODECS = ("gzip", "deflate", "stored")
_DIGEST = 32
# What is not executable, and what is.
_FORMS = (b"-", b"x")


class Member(NamedTuple):
    """One independently compressed run of the archive."""

    offset: int
    length: int
    raw_length: int
    sha256: str
    codec: str


class File(NamedTuple):
    """A regular file; `position` is its first byte's in the raw bytes of all members, joined."""

    path: str
    executable: bool
    size: int
    sha256: str
    position: int


def content_of(sha256: str, executable: bool) -> bytes:
    """Return what a file's content goes by: its digest, and whether it is executable.

    Raises:
        ValueError: The digest is none.
    """
    return bytes.fromhex(sha256) + _FORMS[executable]


def digest_of(content: bytes) -> bytes:
    """Return the digest in what a file's content goes by."""
    return content[:_DIGEST]


class Members:
    """Members, in the order in which they were added.

    Attributes:
        offsets: Where each starts in the archive.
        lengths: How many bytes each takes there.
        raw_lengths: How many bytes each holds.
    """

    def __init__(self, rows: Iterable[Member] = ()) -> None:
        self.offsets, self.lengths, self.raw_lengths = array("q"), array("q"), array("q")
        self._digests, self._codecs = Spill(), bytearray()
        for row in rows:
            self.add(*row)

    def add(self, offset: int, length: int, raw_length: int, sha256: str, codec: str) -> None:
        """Add a row.

        Raises:
            ValueError: The codec is not known, or the digest is none.
        """
        self._codecs.append(CODECS.index(codec))
        self._digests.add(bytes.fromhex(sha256))
        self.offsets.append(offset)
        self.lengths.append(length)
        self.raw_lengths.append(raw_length)

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> Member:
        if index < 0:
            index += len(self.offsets)
        return Member(
            self.offsets[index],
            self.lengths[index],
            self.raw_lengths[index],
            self._digests.read(index * _DIGEST, _DIGEST).hex(),
            CODECS[self._codecs[index]],
        )

    def __iter__(self) -> Iterator[Member]:
        return map(self.__getitem__, range(len(self)))

    def picked(self, indexes: Iterable[int]) -> Members:
        """Return some of the rows."""
        found = Members()
        for index in indexes:
            found.offsets.append(self.offsets[index])
            found.lengths.append(self.lengths[index])
            found.raw_lengths.append(self.raw_lengths[index])
            found._digests.add(self._digests.read(index * _DIGEST, _DIGEST))
            found._codecs.append(self._codecs[index])
        return found


class Files:
    """Files, in the order in which they were added.

    Attributes:
        paths: The path of each.
        sizes: Bytes of each.
        positions: Where each begins in the raw bytes of all members.
    """

    def __init__(self) -> None:
        self.paths = Texts()
        self.sizes, self.positions = array("q"), array("q")
        self._digests, self._executable = Spill(), bytearray()

    def add(self, path: str, executable: bool, size: int, sha256: str, position: int) -> None:
        """Add a row.

        Raises:
            ValueError: The digest is none.
        """
        self._digests.add(bytes.fromhex(sha256))
        self._executable.append(executable)
        self.paths.append(path)
        self.sizes.append(size)
        self.positions.append(position)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> File:
        if index < 0:
            index += len(self.paths)
        return File(
            self.paths[index],
            self._executable[index] == 1,
            self.sizes[index],
            self._digests.read(index * _DIGEST, _DIGEST).hex(),
            self.positions[index],
        )

    def __iter__(self) -> Iterator[File]:
        return map(self.__getitem__, range(len(self)))

    def in_order(self, *, empty: bool = False) -> array[int]:
        """Return the rows in the order of their positions, those of empty files if they matter."""
        sizes, positions = self.sizes, self.positions
        found = array("q", (row for row, size in enumerate(sizes) if not size) if empty else ())
        last, ascending = -1, True
        for row, size in enumerate(sizes):
            if size:
                ascending &= positions[row] >= last
                last = positions[row]
                found.append(row)
        # Mostly they are, and a sort takes four times the memory.
        return found if ascending else array("q", sorted(found, key=self._place))

    def _place(self, row: int) -> int:
        return self.positions[row] if self.sizes[row] else -1

    def content(self, index: int) -> bytes:
        """Return what a file's content goes by; see `content_of`."""
        return self._digests.read(index * _DIGEST, _DIGEST) + _FORMS[self._executable[index]]

    def form(self, index: int) -> tuple[int, bool]:
        """Return a file's size, and whether it is executable."""
        return self.sizes[index], self._executable[index] == 1

    def picked(self, indexes: Iterable[int]) -> Files:
        """Return some of the rows."""
        found = Files()
        for index in indexes:
            found.paths.append(self.paths[index])
            found.sizes.append(self.sizes[index])
            found.positions.append(self.positions[index])
            found._digests.add(self._digests.read(index * _DIGEST, _DIGEST))
            found._executable.append(self._executable[index])
        return found
