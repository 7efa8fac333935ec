"""A tree of files as one file, which can be checked while it is unpacked.

Format: the contents of all files, one behind another; then an index, canonical JSON with a row for
each folder, file (path, mode, size, SHA-256) and link; then the index's length (8 bytes,
big-endian) and its SHA-256. One file is found, checked, aged and removed at once, where a folder of
ten thousand would be half there at times.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from castoff.store import canonical

_BLOCK = 1024 * 1024
_TAIL = 8 + 32


class Damaged(Exception):
    """An entry of the cache does not fit its digests, or the disk does not give it back.

    Attributes:
        entry: What was opened of it; None where it may be any that was.
    """

    def __init__(self, entry: object = None) -> None:
        super().__init__("what an earlier build kept is damaged")
        self.entry = entry


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file in a pack.

    Attributes:
        path: Relative, `/`-separated.
        start: Where its content begins in the pack.
    """

    path: str
    mode: int
    size: int
    sha256: str
    start: int


class Pack:
    """A pack that is read in place: its index is checked at once, its contents by `check_at`.

    Attributes:
        identity: Digest of the index, and so of all that is in the pack.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read the index; the pack has a descriptor of its own from then on.

        Raises:
            Damaged: It does not fit its digest.
        """
        self._bytes = _checked_index(file)
        self.identity = hashlib.sha256(self._bytes).hexdigest()
        self._descriptor = os.dup(file.fileno())

    @cached_property
    def _index(self) -> Any:
        # Not before it is asked for: a later stage may know all that is in it.
        return json.loads(self._bytes)

    @cached_property
    def files(self) -> Mapping[str, PackedFile]:
        """All files, by path."""
        return {row[0]: PackedFile(*row) for row in self.rows()}

    def rows(self) -> Iterator[tuple[str, int, int, str, int]]:
        """Yield what `PackedFile` has of all files, ten times as fast."""
        start = 0
        for path, mode, size, digest in self._index["files"]:
            yield path, mode, size, digest, start
            start += size

    @property
    def folders(self) -> Sequence[str]:
        """The paths of folders."""
        folders: list[str] = self._index["folders"]
        return folders

    @property
    def links(self) -> Mapping[str, str]:
        """Targets of links, by path."""
        return dict(self._index["links"])

    @property
    def note(self) -> Any:
        """What `pack` was given."""
        return self._index["note"]

    def read_at(self, start: int, length: int) -> bytes:
        """Return some bytes of the contents, unchecked."""
        pieces = []
        while length > 0:
            piece = read_at(self._descriptor, length, start)
            if not piece:
                raise Damaged
            pieces.append(piece)
            start, length = start + len(piece), length - len(piece)
        return b"".join(pieces)

    def check_at(self, start: int, size: int, sha256: str) -> None:
        """Compare some bytes of the contents with their digest.

        Raises:
            Damaged: They differ.
        """
        digest = hashlib.sha256()
        for begin in range(start, start + size, _BLOCK):
            digest.update(self.read_at(begin, min(_BLOCK, start + size - begin)))
        if digest.hexdigest() != sha256:
            raise Damaged

    def extract(self, top: Path, wanted: Callable[[str], bool]) -> None:
        """Write some of the files, with the folders that they lie in.

        Args:
            top: Where to; made if missing.
            wanted: Says so of a path.

        Raises:
            Damaged: One does not fit its digest.
        """
        for path, row in self.files.items():
            if wanted(path):
                self.check_at(row.start, row.size, row.sha256)
                target = top / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.read_at(row.start, row.size))
                target.chmod(row.mode)

    def close(self) -> None:
        """Let go of the pack."""
        os.close(self._descriptor)


def read_at(descriptor: int, length: int, start: int) -> bytes:
    """Return some bytes of an entry of the cache; fewer at its end.

    Raises:
        Damaged: The disk does not give them back.
    """
    try:
        return os.pread(descriptor, length, start)
    except OSError as error:
        raise Damaged from error


class Writer:
    """Writes a pack, a folder, file or link at a time."""

    def __init__(self, file: BinaryIO) -> None:
        """Begin.

        Args:
            file: Where to; only ever appended to.
        """
        self._file = file
        # Most files are small: a call of the system for each would take longer than the copy.
        self._pending = bytearray()
        self._folders: list[str] = []
        self._files: list[tuple[str, int, int, str]] = []
        self._links: list[tuple[str, str]] = []

    def add_folder(self, path: str) -> None:
        """Add a folder, after the one that it lies in."""
        self._folders.append(path)

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._links.append((path, target))

    def add(self, path: str, mode: int, content: bytes, sha256: str) -> None:
        """Add a file.

        Args:
            path: Relative, `/`-separated.
            mode: Its permissions.
            content: Its bytes.
            sha256: Their digest.

        Raises:
            OSError: The pack cannot be written.
        """
        self._pending += content
        if len(self._pending) >= _BLOCK:
            self._flush()
        self._files.append((path, mode, len(content), sha256))

    def copy(self, path: str, mode: int, source: str) -> tuple[int, str]:
        """Add a file of any size from the disk; return its size and digest.

        Args:
            path: Relative, `/`-separated.
            mode: Its permissions.
            source: Its path on the disk; no link.

        Raises:
            OSError: It cannot be read, or the pack not be written.
        """
        self._flush()
        size, digest = _append(source, self._file)
        self._files.append((path, mode, size, digest))
        return size, digest

    def finish(self, note: Any = None) -> None:
        """Write the index.

        Args:
            note: A JSON value to be kept with it.

        Raises:
            OSError: It cannot be written.
        """
        index = canonical.dumps(
            {
                "folders": self._folders,
                "files": self._files,
                "links": self._links,
                "note": note,
            }
        )
        self._flush()
        length = len(index).to_bytes(8, "big")
        self._file.write(index + length + hashlib.sha256(index).digest())

    def _flush(self) -> None:
        self._file.write(self._pending)
        self._pending.clear()


def pack(top: Path, file: BinaryIO) -> None:
    """Write a tree's folders, regular files and symbolic links.

    Args:
        top: The tree.
        file: Where to; only ever appended to.

    Raises:
        OSError: A file cannot be read, or `file` not be written.
    """
    writer = Writer(file)
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(top / folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            path = folder + entry.name
            if entry.is_symlink():
                writer.add_link(path, os.readlink(entry.path))  # noqa: PTH115 - as it is written
            elif entry.is_dir(follow_symlinks=False):
                writer.add_folder(path)
                pending.append(path + "/")
            elif entry.is_file(follow_symlinks=False):
                mode = entry.stat(follow_symlinks=False).st_mode & 0o777
                writer.copy(path, mode, entry.path)
    writer.finish()


def unpack(file: BinaryIO, top: Path) -> None:
    """Write a packed tree into an empty folder; all folders get mode 0755.

    Args:
        file: What `pack` wrote, from its start.
        top: An existing folder.

    Raises:
        Damaged: It is not what was packed; `top` holds a part of it.
        OSError: It cannot be read, or `top` not be written.
    """
    index = _index(file)
    try:
        for path in index["folders"]:
            (top / path).mkdir(mode=0o755)
        for path, mode, size, digest in index["files"]:
            _extract(file, f"{top}/{path}", mode, size, digest)
        for path, target in index["links"]:
            (top / path).symlink_to(target)
    except (KeyError, TypeError, ValueError) as error:
        raise Damaged from error


def _append(path: str, file: BinaryIO) -> tuple[int, str]:
    """Copy one file to the end of the pack; return its size and digest."""
    digest, size = hashlib.sha256(), 0
    source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        while block := os.read(source, _BLOCK):
            digest.update(block)
            size += file.write(block)
    finally:
        os.close(source)
    return size, digest.hexdigest()


def _index(file: BinaryIO) -> Any:
    """Read the index; leave the file at its start."""
    index = json.loads(_checked_index(file))
    file.seek(0)
    return index


def _checked_index(file: BinaryIO) -> bytes:
    end = file.seek(0, os.SEEK_END)
    if end < _TAIL:
        raise Damaged
    file.seek(end - _TAIL)
    tail = _read(file, _TAIL)
    length = int.from_bytes(tail[:8], "big")
    if length > end - _TAIL:
        raise Damaged
    file.seek(end - _TAIL - length)
    index = _read(file, length)
    if hashlib.sha256(index).digest() != tail[8:]:
        raise Damaged
    return index


def _read(file: BinaryIO, length: int) -> bytes:
    try:
        return file.read(length)
    except OSError as error:
        raise Damaged from error


def _extract(file: BinaryIO, path: str, mode: int, size: int, wanted: str) -> None:
    digest = hashlib.sha256()
    # Calls of the system alone: there are ten thousand files in a release.
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        while size:
            block = _read(file, min(size, _BLOCK))
            if not block:
                raise Damaged
            digest.update(block)
            size -= len(block)
            while block:
                block = block[os.write(target, block) :]
    finally:
        os.close(target)
    if digest.hexdigest() != wanted:
        raise Damaged
