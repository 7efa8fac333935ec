"""Create a tree below one directory, never outside it and never over anything.

Every name is opened relative to a directory's descriptor that was itself reached without
following a link, and created only where nothing is. Names are bytes: the host's locale decides
nothing.
"""

from __future__ import annotations

import hashlib
import os
import stat

from .durable import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .table import File

_BLOCK = 256 * 1024
# Of deeper directories only the last is held: a process may have a thousand files open.
_MOST_HELD = 64
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE = 0o755
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class TreeWriter:
    """Writes below the directory `top`, which must exist; a context manager."""

    def __init__(self, top: str) -> None:
        self._top = os.open(top, _DIRECTORY)
        self._exact = False
        # The directory used last, and those above it, open: the next one is mostly near.
        self._folder = b""
        self._parts: list[bytes] = []
        self._held: list[int] = []

    def __enter__(self) -> TreeWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave(0)
        os.close(self._top)

    def directory(self, path: str) -> None:
        """Create a directory with mode 0755, whatever the umask."""
        folder, name = self._enter(path)
        os.mkdir(name, _FOLDER_MODE, dir_fd=folder)
        if self._exact:
            return
        descriptor = os.open(name, _DIRECTORY, dir_fd=folder)
        try:
            # What the umask, default lists of rights (acl(5)) and the top's set-group-ID bit make
            # of one in the top they make of all; a folder that was mended hands that bit to none.
            exact = stat.S_IMODE(os.fstat(descriptor).st_mode) == _FOLDER_MODE
            self._exact = exact and folder == self._top
            os.fchmod(descriptor, _FOLDER_MODE)
        finally:
            os.close(descriptor)

    def file(self, path: str) -> int:
        """Create an empty file; return its descriptor, open for writing."""
        folder, name = self._enter(path)
        return os.open(name, _CREATE, 0o600, dir_fd=folder)

    def copy(self, path: str, other: str, file: File) -> bool:
        """Write `path` as a copy of the file `other`, if that has the content of `file`.

        A copy, not another name: whatever is done to one release must never reach another.

        Returns:
            Whether it has; if not, nothing was written.

        Raises:
            OSError: The copy cannot be written.
        """
        try:
            source = os.open(os.fsencode(other), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return self.fill(path, _blocks(source), file)
        finally:
            os.close(source)

    def fill(self, path: str, blocks: Iterable[bytes | memoryview], file: File) -> bool:
        """Write `path` as these blocks, if they are the content of `file`.

        Returns:
            Whether they are; if not, nothing was written.

        Raises:
            OSError: It cannot be written.
        """
        folder, name = self._enter(path)
        digest = hashlib.sha256()
        right = False
        target = os.open(name, _CREATE, 0o600, dir_fd=folder)
        try:
            for block in blocks:
                digest.update(block)
                write_all(target, block)
            os.fchmod(target, 0o555 if file.executable else 0o444)
            right = digest.hexdigest() == file.sha256
        finally:
            os.close(target)
            if not right:
                os.unlink(name, dir_fd=folder)
        return right

    def link(self, path: str, target: str) -> None:
        """Create a symbolic link."""
        folder, name = self._enter(path)
        os.symlink(target.encode(), name, dir_fd=folder)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        folder, name = self._enter(path)
        os.rmdir(name, dir_fd=folder)

    def _enter(self, path: str) -> tuple[int, bytes]:
        folder, _, name = path.encode().rpartition(b"/")
        if folder != self._folder:
            self._go(folder.split(b"/") if folder else [])
            self._folder = folder
        return self._held[-1] if self._held else self._top, name

    def _go(self, parts: list[bytes]) -> None:
        """Open a directory, from the nearest one above it that is open already."""
        same, deep = 0, len(parts) > _MOST_HELD
        if not deep and len(self._parts) <= _MOST_HELD:
            for one, other in zip(parts, self._parts):
                if one != other:
                    break
                same += 1
        self._leave(same)
        if deep:
            self._parts = parts
        for part in parts[same:]:
            above = self._held[-1] if self._held else self._top
            self._held.append(os.open(part, _DIRECTORY, dir_fd=above))
            if not deep:
                self._parts.append(part)
            elif len(self._held) > 1:
                os.close(self._held.pop(0))

    def _leave(self, same: int) -> None:
        """Close what is open but for so many parts of the path."""
        # No longer there, whatever fails until the next one is.
        self._folder = b"/"
        while len(self._held) > same:
            os.close(self._held.pop())
        del self._parts[same:]


def _blocks(descriptor: int) -> Iterator[bytes]:
    """Yield a file's content; a disk that cannot give the rest of it ends it there."""
    while True:
        try:
            block = os.read(descriptor, _BLOCK)
        except OSError:
            return
        if not block:
            return
        yield block
