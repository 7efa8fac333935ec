"""Make a patch: the content of changed files, compressed against the old content.

Each frame is a Zstandard frame (RFC 8878) whose window reaches back into the old content as if
that came before it, as `zstd --patch-from` makes them. Level 12: level 19 made a patch to another
minor release of Flask a tenth smaller, in eight times the time, and took minutes over binaries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from castoff.builder.patches.frames import Cut, cuts
from castoff.builder.patches.pairs import Pair
from castoff.store.digest import sha256_file
from castoff.store.filetable import FileTable
from castoff.store.patch import Frame, Patch, runs
from castoff.store.unpack import ArchiveReader

_LEVEL = 12
# Binary logarithms. With fewer hashes than a frame has bytes, most of what does not compress by
# itself is not found again: with half as many, 394 KB of 8 MiB were left instead of 1.
_HASHES = 24
_LEAST_WINDOW = 10


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two releases: its archive, open for reading, and its file table."""

    archive: BinaryIO
    table: FileTable

    def content(self, rows: Iterable[int]) -> Iterator[bytes]:
        """Yield the content of these files, joined.

        Raises:
            Damaged: The archive is not what the table says.
        """
        reader = ArchiveReader(self.archive, self.table)
        for row in rows:
            yield from reader.content(self.table.files[row])


def make(base: str, old: Side, new: Side, wanted: list[Pair], path: Path) -> Patch:
    """Write a patch to `path`; return what is to be said of it.

    Args:
        base: The old release's version.
        old: The old release.
        new: The new one.
        wanted: The files that it brings.
        path: Where to.

    Raises:
        Damaged: One of the archives is not what its table says.
        OSError: One of the files cannot be read, or the patch cannot be written.
    """
    rows, sizes = _laid_out(old.table, new.table, wanted)
    after = _Stream(new.content(pair.new for pair in wanted))
    before = _Window(old.content(rows))
    frames: list[Frame] = []
    with path.open("wb") as file:
        for cut in cuts(sizes):
            frame = compressed(after.take(cut.size), before.read(cut))
            file.write(frame)
            frames.append((len(frame), cut.size, cut.start, cut.span))
    return Patch(
        base=base,
        size=path.stat().st_size,
        sha256=sha256_file(path),
        old=runs(rows),
        new=runs([pair.new for pair in wanted]),
        frames=tuple(frames),
    )


def _laid_out(
    old: FileTable, new: FileTable, wanted: list[Pair]
) -> tuple[list[int], list[tuple[int, int]]]:
    """Return the old rows in their order, and the sizes that frames are cut by."""
    rows: dict[int, None] = {}
    sizes = []
    for pair in wanted:
        brought = 0
        if pair.old is not None and pair.old not in rows:
            rows[pair.old] = None
            brought = old.files[pair.old].size
        sizes.append((new.files[pair.new].size, brought))
    return list(rows), sizes


def compressed(content: bytes, reference: bytes) -> bytes:
    """Return the frame that gives `content` to who has `reference`."""
    import zstandard

    size = len(content) + len(reference)
    window = max(_LEAST_WINDOW, (size - 1).bit_length())
    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL, source_size=size, window_log=window, hash_log=min(_HASHES, window + 1)
    )
    if not reference:
        return zstandard.ZstdCompressor(compression_params=parameters).compress(content)
    before = zstandard.ZstdCompressionDict(reference, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(dict_data=before, compression_params=parameters).compress(
        content
    )


class _Stream:
    """Bytes that are taken one after the other."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def take(self, size: int) -> bytes:
        parts = []
        while size:
            block = self._rest or next(self._blocks)
            parts.append(block[:size])
            self._rest = block[size:]
            size -= len(parts[-1])
        return b"".join(parts)


class _Window:
    """Spans of the old content, none of which begins before the one that was read last."""

    def __init__(self, content: Iterator[bytes]) -> None:
        self._stream = _Stream(content)
        self._start = 0
        self._held = b""

    def read(self, cut: Cut) -> bytes:
        """Return what a frame is made against."""
        ahead = cut.start - self._start
        if ahead > len(self._held):
            self._stream.take(ahead - len(self._held))
        self._held = self._held[ahead:]
        self._start = cut.start
        if cut.span > len(self._held):
            self._held += self._stream.take(cut.span - len(self._held))
        return self._held[: cut.span]
