"""Cut the tar stream of a tree into runs of bytes, each to be compressed by itself.

Where a run ends depends on the entries near it alone, not on how many came before. So two releases
that differ in a few files have all but a few runs in common, which a builder need not compress
again, and each entry has the same time, whatever the commit.
"""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from castoff.builder.tree import Tree, TreeFile, check_unchanged
from castoff.store.filetable import File, Link

# Raw bytes. Small runs make small differences between releases, and a larger archive: 50.4 MB in
# one stream, 50.7 MB in runs of 256 KiB, 55.1 MB with a member for each file. From `_LEAST` on, one
# name in `_BORDERS` ends a run, which makes most of them about 256 KiB.
RUN = 512 * 1024
_LEAST = 160 * 1024
_BORDERS = 8
SLICE = 1024 * 1024

# Seconds since the epoch: 1980, the first time that a zip can hold too. GNU tar warns of 0.
TIME = 315_532_800

_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes that become one member.

    Attributes:
        raw_length: How many there are.
        read: Returns them. Raises BuildError if a file is no longer what `walk` found.
        key: Digest of what they are made of; None where only the bytes themselves tell.
    """

    raw_length: int
    read: Callable[[], bytes]
    key: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry of the tar stream.

    Attributes:
        file: Its content follows the header, where it is a file.
    """

    header: bytes
    file: TreeFile | None

    @property
    def padding(self) -> int:
        return 0 if self.file is None else -self.file.size % tarfile.BLOCKSIZE

    @property
    def length(self) -> int:
        return len(self.header) + (0 if self.file is None else self.file.size + self.padding)


@dataclass
class Cutter:
    """Turns a tree into runs, and notes in which run each file starts.

    Attributes:
        files: A row for each file that has been cut.
        done: Runs yielded.
    """

    files: list[File] = field(default_factory=list)
    done: int = 0

    def cut(self, tree: Tree) -> Iterator[Run]:
        """Yield all runs in the order of the stream; a large file is read as they are taken.

        Raises:
            BuildError: A large file is no longer what `walk` found.
        """
        parts: list[_Part] = []
        length = 0
        for path, part in _parts(tree):
            full = length + part.length > RUN
            if parts and (full or (length >= _LEAST and _is_border(path))):
                yield self._give(_run(tree.top, parts, length))
                parts, length = [], 0
            if part.file is not None:
                self._note(part.file, length + len(part.header))
                if part.length > RUN:
                    yield from self._slices(tree.top, part.file, part)
                    continue
            parts.append(part)
            length += part.length
        if parts:
            yield self._give(_run(tree.top, parts, length))
        yield self._give(Run(len(_END), lambda: _END, None))

    def _note(self, file: TreeFile, start: int) -> None:
        self.files.append(
            File(file.path, file.executable, file.size, file.sha256, self.done, start)
        )

    def _slices(self, top: Path, found: TreeFile, part: _Part) -> Iterator[Run]:
        """Yield one large file in slices, the first one with its header."""
        piece = bytearray(part.header)
        digest, size = hashlib.sha256(), 0
        with (top / found.path).open("rb") as file:
            # No further than it was: what grows without end must not be followed.
            while block := file.read(min(SLICE - len(piece), found.size + 1 - size)):
                digest.update(block)
                size += len(block)
                piece += block
                if len(piece) == SLICE:
                    yield self._give(_slice(bytes(piece)))
                    piece.clear()
        check_unchanged(found, size, digest.hexdigest())
        piece += bytes(part.padding)
        if piece:
            yield self._give(_slice(bytes(piece)))

    def _give(self, run: Run) -> Run:
        self.done += 1
        return run


def _slice(raw: bytes) -> Run:
    return Run(len(raw), lambda: raw, None)


def _run(top: Path, parts: list[_Part], length: int) -> Run:
    """Return a run that reads its files when it is wanted, and not before."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.header)
        if part.file is not None:
            digest.update(bytes.fromhex(part.file.sha256))

    def read() -> bytes:
        raw = bytearray()
        for part in parts:
            raw += part.header
            if part.file is not None:
                content = (top / part.file.path).read_bytes()
                check_unchanged(part.file, len(content), hashlib.sha256(content).hexdigest())
                raw += content
                raw += bytes(part.padding)
        return bytes(raw)

    return Run(length, read, digest.hexdigest())


def _is_border(path: bytes) -> bool:
    return zlib.crc32(path) % _BORDERS == 0


def _parts(tree: Tree) -> Iterator[tuple[bytes, _Part]]:
    """Yield directories, files and links in the order of their UTF-8 paths."""
    entries: list[tuple[bytes, str | TreeFile | Link]] = []
    entries += [(path.encode(), path) for path in tree.directories]
    entries += [(file.path.encode(), file) for file in tree.files]
    entries += [(link.path.encode(), link) for link in tree.links]
    for path, entry in sorted(entries, key=lambda pair: pair[0]):
        yield path, _Part(_header(entry), entry if isinstance(entry, TreeFile) else None)


def _header(entry: str | TreeFile | Link) -> bytes:
    """Return an entry's header blocks, with a PAX header before it where a name is long."""
    info = tarfile.TarInfo(entry if isinstance(entry, str) else entry.path)
    info.mtime = TIME
    if isinstance(entry, str):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif isinstance(entry, Link):
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, entry.target
    else:
        info.size, info.mode = entry.size, 0o755 if entry.executable else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
