"""Files that are complete before anybody can see them, and that outlive a power cut."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# No key and no version can hold this sign, so an unfinished file is never
# mistaken for what it will become.
MARK = "~"


class NewFile:
    """A file under a passing name beside its final place; hashes what is written to it.

    Attributes:
        size: Bytes written so far.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(f".{MARK}{os.urandom(8).hex()}")
        # Not tempfile: its mode of 0600 would shut out the other users of a shared store.
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """The digest of what has been written so far."""
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        """Append `data`; return its length."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._digest.update(data)
        self.size += len(data)
        return len(data)

    def create(self) -> None:
        """Give the file its final name, if no file has it.

        Raises:
            FileExistsError: One has it.
        """
        os.fsync(self._file)
        # A link, unlike a rename, fails if the name is taken; for any number of racers, one wins.
        os.link(self._path, self._target)
        sync_directory(self._target.parent)

    def replace(self) -> None:
        """Give the file its final name, in place of any file that has it."""
        self.sync()
        self.rename()
        sync_directory(self._target.parent)

    def sync(self) -> None:
        """Write to disk what was written so far."""
        os.fsync(self._file)

    def rename(self) -> None:
        """Do of `replace` what takes no time; the disk may not know of it yet."""
        self._path.replace(self._target)

    def close(self) -> None:
        """Take the passing name away."""
        os.close(self._file)
        self._path.unlink(missing_ok=True)


@contextmanager
def new_file(target: Path) -> Iterator[NewFile]:
    """Begin the file `target`, whose directory must exist; it goes unless it gets its name."""
    new = NewFile(target)
    try:
        yield new
    finally:
        new.close()


def move(source: Path, target: Path) -> None:
    """Bring a finished file to its place, in place of any that is there; by a copy where it must.

    Args:
        source: The file; gone afterwards.
        target: Its place, whose directory must exist.

    Raises:
        OSError: It cannot be read or written; whatever was in its place is still there.
    """
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
    else:
        sync_directory(target.parent)
        return
    with new_file(target) as file, source.open("rb") as content:
        shutil.copyfileobj(content, file, 1024 * 1024)
        file.replace()
    target.chmod(target.stat().st_mode | (source.stat().st_mode & 0o111))
    source.unlink()


def make_directory(path: Path) -> None:
    """Make a directory with those above it, so that they outlive a power cut."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Write a directory's names to disk."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
