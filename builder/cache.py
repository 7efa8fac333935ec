"""Results of earlier builds, by everything that decides them.

An entry is one file, `<stage>/<first two digits>/<key>`, and holds the digest of its own content.
It is written under a passing name and renamed, so that a reader sees all of it or nothing, however
many builds run and whenever one is killed. An entry that does not fit its digest (a bad disk, a
power cut) is removed and made again; that is also why none is synced to disk. A folder that cannot
be read or written costs time and nothing else: builds go on without it.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, BinaryIO, Protocol, TypeVar

from castoff.builder.cache_space import keep_within, prune
from castoff.builder.pack import Damaged, Pack, pack, unpack
from castoff.builder.sealed_tree import MARK, SealedTree
from castoff.store import canonical
from castoff.store.digest import sha256

# Bytes.
DEFAULT_BOUND = 2 * 1024**3

# Raised when the form of an entry, or the meaning of what some stage keeps, changes.
_SCHEMA = 1
# Bytes before the content of an entry that is no tree: its digest.
HEAD = 64


def key_of(facts: Mapping[str, Any]) -> str:
    """Return the key of what some facts decide.

    Args:
        facts: All that the result depends on, as JSON values: digests of the inputs, options, and
            the versions of the tools.
    """
    return sha256(canonical.dumps({"schema": _SCHEMA, **facts}))


def own_code(*names: str) -> list[str]:
    """Return the digests of modules of the builder that decide or judge a result."""
    return [sha256(Path(__file__).with_name(name).read_bytes()) for name in names]


def code_of(*modules: ModuleType) -> list[str]:
    """Return the digests of other modules that do."""
    return [sha256(Path(module.__file__ or "").read_bytes()) for module in modules]


def code_in(folder: Path) -> list[str]:
    """Return the digests of all modules that lie in a folder itself."""
    return [sha256(module.read_bytes()) for module in sorted(folder.glob("*.py"))]


class Closable(Protocol):
    """What is read in place."""

    def close(self) -> None:
        """Let go of it."""


_Opened = TypeVar("_Opened", bound=Closable)


class Cache:
    """A folder that any number of builds and threads may use at once.

    Attributes:
        folder: Where it is; None if it keeps nothing.
        trouble: Why entries could not be written; None where all could.
    """

    def __init__(self, folder: Path | None, *, bound: int = DEFAULT_BOUND) -> None:
        """Open a cache; nothing is read or written yet.

        Args:
            folder: Its folder; it may be missing. None keeps nothing.
            bound: How many bytes it may hold after `tidy`; none at all if 0.
        """
        self.folder = folder if bound else None
        self._bound = bound
        self._written = 0
        self._lock = threading.Lock()
        self._opened: list[tuple[str, str, Closable]] = []
        # Damaged ones that may still lie there, where the folder cannot be written.
        self._given_up: set[tuple[str, str]] = set()
        self.trouble: str | None = None

    def read(self, stage: str, key: str) -> bytes | None:
        """Return an entry's bytes; None if there is none.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
        """
        with self._entry(stage, key) as file:
            try:
                content = b"" if file is None else file.read()
            except OSError:
                # A disk that does not give it back: no entry is so.
                content = b"?"
        if content[:HEAD] == sha256(content[HEAD:]).encode():
            return content[HEAD:]
        if content:
            self._remove(stage, key)
        return None

    def write(self, stage: str, key: str, data: bytes) -> None:
        """Keep some bytes; where that fails, say so in `trouble`."""
        self._keep(stage, key, lambda file: file.writelines((sha256(data).encode(), data)))

    def adopt(self, stage: str, key: str, file: Path, data: bytes) -> None:
        """Keep some bytes that lie in a file: as `write` does, but on the same disk by a rename.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            file: May be gone afterwards.
            data: What it holds behind its first `HEAD` bytes.
        """
        size = HEAD + len(data)
        if self.folder is None or self.trouble is not None or size > self._bound // 2:
            return
        try:
            place = _place(self.folder, stage, key)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file.open("r+b") as opened:
                opened.write(sha256(data).encode())
                os.fchmod(opened.fileno(), 0o600)
            file.replace(place)
        except OSError:
            # It lies on another disk; or this says what is wrong.
            self.write(stage, key, data)
        else:
            self._wrote(self.folder, stage, key, size)

    def locate(self, stage: str, key: str) -> tuple[Path, int] | None:
        """Return where an entry that was just read or written lies, and where its bytes begin.

        None if it was not kept. Who reads it there has to find out by itself whether it is still
        what it was.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
        """
        if self.folder is None or self.trouble is not None:
            return None
        with suppress(OSError):
            place = _place(self.folder, stage, key)
            if place.is_file() and not place.is_symlink():
                return place, HEAD
        return None

    def read_tree(self, stage: str, key: str, destination: Path) -> bool:
        """Write an entry's tree to `destination`; return whether there is one.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            destination: A folder that is still missing; it stays so where there is no entry.

        Raises:
            OSError: `destination` cannot be written.
        """
        with self._entry(stage, key) as file:
            if file is None:
                return False
            destination.mkdir()
            try:
                unpack(file, destination)
            except Damaged:
                shutil.rmtree(destination)
                self._remove(stage, key)
                return False
        return True

    def open_tree(self, stage: str, key: str) -> Pack | None:
        """Return an entry's tree to be read in place until `close`; None if there is none.

        What is read of it may raise `Damaged`: `remove_opened` then makes it be made again.
        """
        return self.open_entry(stage, key, Pack)

    def open_entry(
        self, stage: str, key: str, read: Callable[[BinaryIO], _Opened]
    ) -> _Opened | None:
        """Return an entry to be read in place until `close`; None if there is none.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            read: Opens it. What it raises as `Damaged` makes the entry go; what is read later may
                do so too, and `remove_opened` then makes it be made again.
        """
        with self._entry(stage, key) as file:
            if file is None or (stage, key) in self._given_up:
                return None
            try:
                opened = read(file)
            except (Damaged, OSError):
                self._remove(stage, key)
                return None
        self._opened.append((stage, key, opened))
        return opened

    def remove_opened(self, damaged: object = None) -> None:
        """Remove an entry that was opened, for it is damaged.

        Args:
            damaged: What was opened of it; None removes all that were, as it may be any.
        """
        for stage, key, opened in self._opened:
            if damaged in (None, opened):
                self._given_up.add((stage, key))
                self._remove(stage, key)

    def close(self) -> None:
        """Let go of what was opened."""
        while self._opened:
            self._opened.pop()[2].close()

    def write_tree(self, stage: str, key: str, source: Path) -> None:
        """Keep a tree of folders, files and links; where that fails, say so in `trouble`.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            source: The tree.
        """
        self.write_pack(stage, key, lambda file: pack(source, file))

    def write_pack(self, stage: str, key: str, fill: Callable[[BinaryIO], object]) -> None:
        """Keep a pack; where that fails, say so in `trouble`.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            fill: Writes it. What it raises, save for OSError, is raised, and nothing is kept.
        """
        self._keep(stage, key, fill)

    def apart(self) -> Cache:
        """Return one for a forked process, which shares no lock with threads that are not there."""
        return Cache(self.folder, bound=self._bound)

    def told(self) -> tuple[int, str | None]:
        """Return the bytes written, and the trouble, for `hear`."""
        return self._written, self.trouble

    def hear(self, written: int, trouble: str | None) -> None:
        """Count what a forked process has written by a cache that was set apart.

        Args:
            written: Bytes.
            trouble: Why it could not write more.
        """
        with self._lock:
            self._written += written
        self.trouble = self.trouble or trouble

    def take_tree(self, stage: str, key: str, paths: Sequence[str]) -> SealedTree | None:
        """Return a tree that code may be run with until its `close`; None if there is none.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            paths: All that is in it.
        """
        if self.folder is None:
            return None
        try:
            return SealedTree.take(_place(self.folder, stage, key), paths)
        except OSError:
            return None

    def make_tree(
        self, stage: str, key: str, paths: Sequence[str], *, size: int, fill: Callable[[Path], None]
    ) -> SealedTree | None:
        """Keep a tree on the disk, and return it; None, and `trouble`, where that fails.

        Args:
            stage: Which kind of result.
            key: What `key_of` returned.
            paths: All that is in it.
            size: Bytes that it takes. Of more than a quarter of the bound none is made: what it is
                made from lies there as well, and would have to leave for it.
            fill: Writes it into a folder. What it raises, save for OSError, is raised.
        """
        if self.folder is None or self.trouble is not None or size > self._bound // 4:
            return None
        try:
            made = SealedTree.make(_place(self.folder, stage, key), paths, size, fill)
        except OSError as error:
            self.trouble = _said(error)
            return None
        self._wrote(self.folder, stage, key, size)
        return made

    def tidy(self) -> None:
        """Remove the least recently used entries beyond the bound, if any was written."""
        if self.folder is not None and self._written:
            keep_within(self.folder, self._bound, written=self._written)

    @contextmanager
    def _entry(self, stage: str, key: str) -> Iterator[BinaryIO | None]:
        """Open an entry, which counts as used from then on."""
        file = None
        if self.folder is not None:
            try:
                file = _open(_place(self.folder, stage, key))
            except OSError:
                file = None
        try:
            yield file
        finally:
            if file is not None:
                file.close()

    def _remove(self, stage: str, key: str) -> None:
        if self.folder is None:
            return
        try:
            _place(self.folder, stage, key).unlink(missing_ok=True)
        except OSError as error:
            self.trouble = _said(error)

    def _keep(self, stage: str, key: str, fill: Callable[[BinaryIO], object]) -> None:
        # After a first failure the folder is as good as read-only.
        if self.folder is None or self.trouble is not None:
            return
        try:
            size = _write(_place(self.folder, stage, key), fill, most=self._bound // 2)
        except OSError as error:
            self.trouble = _said(error)
            return
        self._wrote(self.folder, stage, key, size)

    def _wrote(self, folder: Path, stage: str, key: str, size: int) -> None:
        with self._lock:
            # What lies there now is new.
            self._given_up.discard((stage, key))
            self._written += size
            # A build that writes more than the bound must not fill the disk meanwhile.
            due = self._written > self._bound
            if due:
                self._written = 1
        if due:
            prune(folder, self._bound)


def _place(folder: Path, stage: str, key: str) -> Path:
    """Return an entry's path.

    Raises:
        OSError: A folder on the way is a link: what lies behind it is not ours.
    """
    for part in (*PurePosixPath(stage).parts, key[:2]):
        folder /= part
        if folder.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
    return folder / key


def _open(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    # On a read-only file system its age stays; nobody can prune it there either.
    with suppress(OSError):
        os.utime(descriptor)
    return os.fdopen(descriptor, "rb")


def _write(path: Path, fill: Callable[[BinaryIO], object], *, most: int) -> int:
    """Write an entry of at most so many bytes; return how many were added."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    passing = path.with_name(f"{MARK}{secrets.token_hex(8)}")
    # What is written may be read before all is.
    descriptor = os.open(passing, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            fill(file)
            size = file.tell()
        if size > most:
            return 0
        passing.replace(path)
    finally:
        passing.unlink(missing_ok=True)
    return size


def _said(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
