"""Write a tree as a .tar.gz of which any part can be fetched by itself.

The tar stream is cut into independent gzip members, which together are one ordinary .tar.gz
(RFC 1952, section 2.2). A member holds a run of whole entries, or a slice of one that is larger
than a run; the last one holds the two blocks of zeros that end a tar.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from castoff.builder.members import compress_members
from castoff.builder.tree import Tree, TreeFile, check_unchanged
from castoff.store.filetable import File, FileTable, Link, Member

# Raw bytes. Small runs make small differences between releases, and a larger archive: 50.4 MB in
# one stream, 50.7 MB in runs of 256 KiB, 55.1 MB with a member for each file.
RUN = 256 * 1024
SLICE = 1024 * 1024

_END = bytes(2 * tarfile.BLOCKSIZE)


def write_tarball(tree: Tree, target: Path, *, time: int, workers: int) -> FileTable:
    """Write the archive; return its file table.

    Args:
        tree: What `walk` found.
        target: The file to write.
        time: Modification time of every entry, seconds since the epoch.
        workers: Threads that compress.

    Raises:
        BuildError: A file is no longer what `walk` found.
    """
    cutter = _Cutter(time)
    members: list[Member] = []
    with target.open("wb") as file:
        for member, data in compress_members(cutter.cut(tree), workers=workers):
            file.write(data)
            members.append(member)
    return FileTable(
        members=tuple(members),
        directories=tree.directories,
        files=tuple(cutter.files),
        links=tree.links,
    )


@dataclass
class _Cutter:
    """Turns a tree into runs of bytes, and notes in which run each file starts.

    Attributes:
        files: A row for each file that has been cut.
        done: Runs yielded.
    """

    time: int
    files: list[File] = field(default_factory=list)
    done: int = 0

    def cut(self, tree: Tree) -> Iterator[bytes]:
        run = bytearray()
        for entry in _in_order(tree):
            header = _header(entry, self.time)
            size = entry.size if isinstance(entry, TreeFile) else 0
            padding = -size % tarfile.BLOCKSIZE
            length = len(header) + size + padding
            if run and len(run) + length > RUN:
                yield self._give(run)
                run.clear()
            if isinstance(entry, TreeFile):
                start = len(run) + len(header)
                self._note(entry, start)
            if length > RUN and isinstance(entry, TreeFile):
                yield from self._slices(tree, entry, header, padding)
                continue
            run += header
            if isinstance(entry, TreeFile):
                content = (tree.top / entry.path).read_bytes()
                check_unchanged(entry, len(content), hashlib.sha256(content).hexdigest())
                run += content + bytes(padding)
        if run:
            yield self._give(run)
        yield self._give(bytearray(_END))

    def _note(self, entry: TreeFile, start: int) -> None:
        self.files.append(
            File(entry.path, entry.executable, entry.size, entry.sha256, self.done, start)
        )

    def _slices(self, tree: Tree, entry: TreeFile, header: bytes, padding: int) -> Iterator[bytes]:
        """Yield one large file in slices, the first one with its header."""
        piece = bytearray(header)
        digest, size = hashlib.sha256(), 0
        with (tree.top / entry.path).open("rb") as file:
            # No further than it was: what grows without end must not be followed.
            while block := file.read(min(SLICE - len(piece), entry.size + 1 - size)):
                digest.update(block)
                size += len(block)
                piece += block
                if len(piece) == SLICE:
                    yield self._give(piece)
                    piece.clear()
        check_unchanged(entry, size, digest.hexdigest())
        piece += bytes(padding)
        if piece:
            yield self._give(piece)

    def _give(self, run: bytearray) -> bytes:
        self.done += 1
        return bytes(run)


def _in_order(tree: Tree) -> Iterator[str | TreeFile | Link]:
    """Yield directories (as their paths), files and links in the order of their UTF-8 paths."""
    entries: list[tuple[bytes, str | TreeFile | Link]] = []
    entries += [(path.encode(), path) for path in tree.directories]
    entries += [(file.path.encode(), file) for file in tree.files]
    entries += [(link.path.encode(), link) for link in tree.links]
    for _, entry in sorted(entries, key=lambda pair: pair[0]):
        yield entry


def _header(entry: str | TreeFile | Link, time: int) -> bytes:
    """Return an entry's header blocks, with a PAX header before it where a name is long."""
    info = tarfile.TarInfo(entry if isinstance(entry, str) else entry.path)
    info.mtime = time
    if isinstance(entry, str):
        info.type, info.mode = tarfile.DIRTYPE, 0o755
    elif isinstance(entry, Link):
        info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, entry.target
    else:
        info.size, info.mode = entry.size, 0o755 if entry.executable else 0o644
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")
