"""Stores in a directory, `file://`: the same promises as S3, kept by link, rename and flock.

An object's key is its path below the store's root. Creation is a hard link, which one of any
number of racers gets. Replacement and removal take the directory's lock, compare the digest of
what is there, and rename. Readers take no lock and see one whole object or the other.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from castoff.store.backend import Document, Entry, Progress
from castoff.store.digest import sha256 as digest_of
from castoff.store.durable import MARK, NewFile, make_directory, new_file, sync_directory
from castoff.store.errors import Conflict, CorruptArtifact, ObjectMissing, StoreError
from castoff.store.key import check_key, check_prefix

_BLOCK = 1024 * 1024
_LOCK = f".{MARK}lock"
# An unfinished file of that age, seconds, belongs to a process that was killed.
_ABANDONED = 24 * 3600
# Seconds to wait for a directory's lock, and between two tries.
_PATIENCE = 30.0
_PAUSE = 0.01

_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class FileStore:
    """A store in the directory `root`, which is made at the first write."""

    def __init__(self, root: Path, *, url: str) -> None:
        self._root = root.absolute()
        self._url = url

    @property
    def url(self) -> str:
        """The URL that the configuration names."""
        return self._url

    @property
    def identity(self) -> str:
        """The directory's absolute path as a URL."""
        return self._root.as_uri()

    def read(self, key: str) -> Document:
        """Return a document. Raises ObjectMissing."""
        path = self._path(key)
        with self._translated(key):
            try:
                data = path.read_bytes()
            except _ABSENT:
                raise self._missing(key) from None
        return Document(data, digest_of(data))

    def create(self, key: str, data: bytes) -> str:
        """Write a document that must not be there yet; return its digest. Raises Conflict."""
        with self._translated(key), self._new(key) as new:
            new.write(data)
            try:
                new.create()
            except FileExistsError:
                raise Conflict(f"{self._url}: there is an object at {key} already") from None
            return new.sha256

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        """Write a document over the one whose digest is `etag`. Raises Conflict."""
        path = self._path(key)
        with self._translated(key), self._new(key) as new:
            # All that waits for the disk is done without the lock: a process that is stopped
            # meanwhile would keep it.
            new.write(data)
            new.sync()
            with _locked(path.parent):
                try:
                    there = digest_of(path.read_bytes())
                except _ABSENT:
                    there = None
                if there != etag:
                    raise Conflict(f"{self._url}: {key} has been changed by another")
                new.rename()
            sync_directory(path.parent)
            return new.sha256

    def upload(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        """Copy a file to `key` unless an object of its size is there. Raises CorruptArtifact."""
        target = self._path(key)
        with self._translated(key):
            if target.is_file() and target.stat().st_size == path.stat().st_size:
                return
            with self._new(key) as new:
                _sweep(target.parent)
                _copy(path, new, progress)
                if new.sha256 != sha256:
                    raise CorruptArtifact(f"{path}: its content is not that of {key}")
                new.replace()

    def download(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        """Copy an object to `path` once its digest is right.

        Raises ObjectMissing, CorruptArtifact.
        """
        source = self._path(key)
        with self._translated(key):
            if not source.is_file():
                raise self._missing(key)
            with new_file(path) as new:
                _copy(source, new, progress)
                if new.sha256 != sha256:
                    raise CorruptArtifact(
                        f"{self._url}: the object at {key} does not match its digest",
                        hint="It is damaged; push the version again from where it was built.",
                    )
                new.replace()

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Yield all objects whose key starts with `prefix`, sorted by key."""
        folder, _, _ = check_prefix(prefix).rpartition("/")
        with self._translated(prefix):
            yield from sorted(_walk(self._root / folder, self._root, prefix), key=_by_key)

    def delete(self, key: str) -> None:
        """Remove an object; no error if there is none."""
        path = self._path(key)
        with self._translated(key):
            if not path.is_file():
                return
            # Under the lock, or a replacement might write over an object created meanwhile.
            with _locked(path.parent):
                path.unlink(missing_ok=True)
            sync_directory(path.parent)

    def sweep_uploads(self, *, older: float) -> int:
        """Remove unfinished files of processes that were killed; return how many."""
        with self._translated("unfinished files"):
            folders = {path.parent for path in self._root.rglob(f".{MARK}*")}
            return sum(_sweep(folder, older) for folder in folders)

    def fetch_url(self, key: str, *, expires: int) -> str | None:
        """Return None: a directory serves no URLs."""
        del expires
        check_key(key)
        return None

    def local_path(self, key: str) -> Path | None:
        """Return where the object lies, or None if there is none."""
        path = self._path(key)
        return path if path.is_file() else None

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    @contextmanager
    def _new(self, key: str) -> Iterator[NewFile]:
        path = self._path(key)
        make_directory(path.parent)
        with new_file(path) as new:
            yield new

    def _missing(self, key: str) -> ObjectMissing:
        return ObjectMissing(f"{self._url}: there is no object at {key}")

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What a write meets has no name of a file.
            where = "" if error.filename is None else f"{error.filename}: "
            raise StoreError(
                f"{self._url}: {key or 'listing'}: {where}{error.strerror}",
                hint=_hint(error, self._root),
            ) from error


def _hint(error: OSError, root: Path) -> str:
    if error.errno in (errno.EPERM, errno.ENOTSUP):
        return f"The store needs a file system with hard links; {root} seems to have none."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"Make room on the file system of {root}."
    return f"Whoever runs Castoff must be able to read and write {root}."


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Have a directory's lock, which others want for an instant each.

    Raises:
        StoreError: Somebody keeps it.
    """
    path = directory / _LOCK
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        until = time.monotonic() + _PATIENCE
        while not _lock(handle):
            if time.monotonic() > until:
                raise StoreError(
                    f"{path}: another process has kept this lock for {_PATIENCE:.0f} s",
                    hint="It may have been stopped. Find it with `fuser -v` and that path, then "
                    "let it go on (kill -CONT) or end it.",
                )
            time.sleep(_PAUSE)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _copy(source: Path, new: NewFile, progress: Progress | None) -> None:
    with source.open("rb") as file:
        while block := file.read(_BLOCK):
            new.write(block)
            if progress is not None:
                progress(len(block))


def _walk(folder: Path, root: Path, prefix: str) -> Iterator[Entry]:
    for directory, _, names in os.walk(folder):
        for name in names:
            path = Path(directory, name)
            key = path.relative_to(root).as_posix()
            if MARK in name or not key.startswith(prefix):
                continue
            try:
                found = path.stat()
                yield Entry(key, found.st_size, found.st_mtime)
            except FileNotFoundError:
                continue  # removed since it was listed


def _by_key(entry: Entry) -> str:
    return entry.key


def _sweep(directory: Path, older: float = _ABANDONED) -> int:
    """Remove the unfinished files that killed uploads left behind; return how many."""
    count = 0
    for path in directory.glob(f".{MARK}*"):
        if path.name == _LOCK:
            continue
        try:
            if time.time() - path.stat().st_mtime > older:
                path.unlink()
                count += 1
        except FileNotFoundError:
            continue  # its owner was done with it
    return count
