"""Rows of a file table, held in columns: as an object each they take four times the memory.

What is more than some thousand rows is on the disk, but for what is in use.
"""

from __future__ import annotations

from array import array

from .named_tuple import NamedTuple
from .numbers import MANY, Numbers
from .sorting import Sorting
from .spill import Spill
from .texts import Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .numbers import Column

CODECS = ("gzip", "deflate", "stored")
_DIGEST = 32
# With a byte for what goes with it.
_ROW = _DIGEST + 1
_CODECS = (b"g", b"d", b"s")
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


class Link(NamedTuple):
    """A symbolic link that stays inside the tree."""

    path: str
    target: str


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
        self.offsets: Column = array("q")
        self.lengths: Column = array("q")
        self.raw_lengths: Column = array("q")
        self._digests = Spill()
        for row in rows:
            self.add(*row)

    def add(self, offset: int, length: int, raw_length: int, sha256: str, codec: str) -> None:
        """Add a row.

        Raises:
            OSError: The disk is full.
            ValueError: The codec is not known, or the digest is none.
        """
        digest = bytes.fromhex(sha256) + _CODECS[CODECS.index(codec)]
        self._add(offset, length, raw_length, digest)

    def _add(self, offset: int, length: int, raw_length: int, digest: bytes) -> None:
        if len(digest) != _ROW:
            raise ValueError("no digest")
        self._digests.add(digest)
        self.offsets.append(offset)
        self.lengths.append(length)
        self.raw_lengths.append(raw_length)
        if len(self.offsets) == MANY:
            self.offsets = Numbers(self.offsets)
            self.lengths = Numbers(self.lengths)
            self.raw_lengths = Numbers(self.raw_lengths)

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> Member:
        if index < 0:
            index += len(self.offsets)
        digest = self._digests.read(index * _ROW, _ROW)
        return Member(
            self.offsets[index],
            self.lengths[index],
            self.raw_lengths[index],
            digest[:_DIGEST].hex(),
            CODECS[_CODECS.index(digest[_DIGEST:])],
        )

    def __iter__(self) -> Iterator[Member]:
        return map(self.__getitem__, range(len(self)))

    def picked(self, indexes: Iterable[int]) -> Members:
        """Return some of the rows."""
        found = Members()
        for index in indexes:
            digest = self._digests.read(index * _ROW, _ROW)
            found._add(self.offsets[index], self.lengths[index], self.raw_lengths[index], digest)
        return found

    def starts(self) -> Column:
        """Return where each begins in the raw bytes of all, and where the last one ends."""
        found: Column = array("q") if len(self) < MANY else Numbers()
        end = 0
        found.append(end)
        for length in self.raw_lengths:
            end += length
            found.append(end)
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
        self.sizes: Column = array("q")
        self.positions: Column = array("q")
        self._contents = Spill()

    def add(self, path: str, executable: bool, size: int, sha256: str, position: int) -> None:
        """Add a row.

        Raises:
            OSError: The disk is full.
            ValueError: The digest is none.
        """
        self._add(path, size, position, content_of(sha256, executable))

    def _add(self, path: str, size: int, position: int, content: bytes) -> None:
        if len(content) != _ROW:
            raise ValueError("no digest")
        self._contents.add(content)
        self.paths.append(path)
        self.sizes.append(size)
        self.positions.append(position)
        if len(self.sizes) == MANY:
            self.sizes, self.positions = Numbers(self.sizes), Numbers(self.positions)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> File:
        if index < 0:
            index += len(self.paths)
        content = self.content(index)
        return File(
            self.paths[index],
            content[_DIGEST:] == _FORMS[1],
            self.sizes[index],
            content[:_DIGEST].hex(),
            self.positions[index],
        )

    def __iter__(self) -> Iterator[File]:
        return map(self.__getitem__, range(len(self)))

    def in_order(self, *, empty: bool = False) -> Iterable[int]:
        """Return the rows in the order of their positions, those of empty files if they matter."""
        if isinstance(self.sizes, Numbers):
            return self._many_in_order(empty=empty)
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

    def _many_in_order(self, *, empty: bool) -> Iterator[int]:
        if empty:
            yield from (row for row, size in enumerate(self.sizes) if not size)
        last, ascending = -1, True
        for position in self._filled():
            ascending = position[0] >= last
            last = position[0]
            if not ascending:
                break
        places: Iterable[tuple[int, int]] = self._filled()
        yield from (row for _, row in (places if ascending else Sorting(places)))

    def _filled(self) -> Iterator[tuple[int, int]]:
        """Yield position and row of each file that is not empty."""
        rows = enumerate(zip(self.sizes, self.positions))
        return ((position, row) for row, (size, position) in rows if size)

    def content(self, index: int) -> bytes:
        """Return what a file's content goes by; see `content_of`."""
        return self._contents.read(index * _ROW, _ROW)

    def form(self, index: int) -> tuple[int, bool]:
        """Return a file's size, and whether it is executable."""
        return self.sizes[index], self.content(index)[_DIGEST:] == _FORMS[1]

    def picked(self, indexes: Iterable[int]) -> Files:
        """Return some of the rows."""
        found = Files()
        for index in indexes:
            found._add(
                self.paths[index], self.sizes[index], self.positions[index], self.content(index)
            )
        return found


class Links:
    """Symbolic links, in the order in which they were added.

    Attributes:
        paths: The path of each.
        targets: What each says.
    """

    def __init__(self, links: Iterable[Link] = ()) -> None:
        self.paths, self.targets = Texts(), Texts()
        for link in links:
            self.append(link)

    def append(self, link: Link) -> None:
        """Add one.

        Raises:
            OSError: The disk is full.
        """
        self.paths.append(link.path)
        self.targets.append(link.target)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Link:
        return Link(self.paths[index], self.targets[index])

    def __iter__(self) -> Iterator[Link]:
        return map(Link, self.paths, self.targets)
