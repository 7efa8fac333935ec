"""A tree on the disk that any number of builds may run code with, each seeing what none changed.

A place of the cache: a folder with the tree, and beside it `seal`, which holds what the file system
said of the tree when it was made (see `castoff.builder.seal`). That file is locked (flock(2)) by
whoever uses the tree, together with others, and by whoever removes it, alone; the kernel lets go of
a lock, however its process ends. Files have no right to be written, so that most mistakes end at
once; but the owner may add files, and root may do anything: what counts is the seal.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum
from pathlib import Path

from castoff.builder.seal import look, wait_for_clock
from castoff.store import canonical

# Begins the name of a place that is not complete, or about to be removed.
MARK = "~"
_SEAL = "seal"
_MOST_READ = 4096


class Change(Enum):
    """When a tree was changed."""

    NEVER = "never"
    BEFORE = "before it was taken"
    SINCE = "since it was taken"


class SealedTree:
    """A tree in use: nobody removes it until `close`.

    Attributes:
        folder: Where its paths begin.
    """

    def __init__(self, folder: Path, descriptor: int, paths: Sequence[str]) -> None:
        """Use one whose seal is locked already; see `take` and `make`."""
        self.folder = folder
        self._descriptor, self._paths = descriptor, paths
        # It counts as used now; and what happens later can be told by the file system's own clock.
        with suppress(OSError):
            os.utime(descriptor)
        self._taken = os.fstat(descriptor).st_ctime_ns

    @classmethod
    def take(cls, place: Path, paths: Sequence[str]) -> SealedTree | None:
        """Use the tree that lies at a place; None if there is none to be used.

        Args:
            place: Where.
            paths: All of its entries, relative to `folder`.
        """
        descriptor = _lock(place, fcntl.LOCK_SH)
        if descriptor is None:
            return None
        if os.fstat(descriptor).st_size:
            return cls(place, descriptor, paths)
        # Another build has given it up, and somebody still used it then.
        os.close(descriptor)
        remove(place)
        return None

    @classmethod
    def make(
        cls, place: Path, paths: Sequence[str], size: int, fill: Callable[[Path], None]
    ) -> SealedTree:
        """Make a tree, and use it.

        Args:
            place: Where later builds find it; where there is one already, this one goes after use.
            paths: All of its entries, relative to `folder`.
            size: Bytes that it takes, to be told by `size_of`.
            fill: Writes it into the folder that it is given.

        Raises:
            OSError: It cannot be written.
        """
        folder = place.with_name(f"{MARK}{secrets.token_hex(8)}")
        folder.mkdir(mode=0o700, parents=True)
        descriptor = _new_lock(folder)
        try:
            fill(folder)
            wait_for_clock(descriptor)
            digest = look(folder, paths).digest
            os.write(descriptor, canonical.dumps({"seal": digest, "size": size}))
            folder = _named(folder, place)
            return cls(folder, descriptor, paths)
        except BaseException:
            os.close(descriptor)
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def change(self) -> Change:
        """Say whether anything in the tree is not as it was made, and since when.

        If nothing is, nothing was at any time since then.
        """
        try:
            found = look(self.folder, self._paths)
        except OSError:
            return Change.BEFORE
        if found.digest == _facts(self._descriptor).get("seal"):
            return Change.NEVER
        return Change.SINCE if found.changed >= self._taken else Change.BEFORE

    def give_up(self) -> None:
        """Let nobody else begin to use it; it goes with the last that does."""
        with suppress(OSError):
            os.truncate(self.folder / _SEAL, 0)

    def close(self) -> None:
        """Let go of it."""
        lasts = not self.folder.name.startswith(MARK) and os.fstat(self._descriptor).st_size
        os.close(self._descriptor)
        if not lasts:
            remove(self.folder)


def size_of(place: Path) -> int:
    """Return the bytes that a tree takes; 0 if that cannot be said."""
    try:
        descriptor = os.open(place / _SEAL, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        size = _facts(descriptor).get("size")
    finally:
        os.close(descriptor)
    return size if isinstance(size, int) else 0


def used(place: Path) -> int:
    """Return when a tree was used last, nanoseconds since the epoch; 0 if it is not there."""
    for path in (place / _SEAL, place):
        with suppress(OSError):
            return path.lstat().st_mtime_ns
    return 0


def remove(place: Path, *, abandoned: bool = False) -> bool:
    """Remove a tree, unless somebody uses or makes it; return whether it is gone.

    Args:
        place: Where it lies.
        abandoned: Whether it is so old that one without a seal is nobody's.
    """
    descriptor = _lock(place, fcntl.LOCK_EX)
    if descriptor is None and ((place / _SEAL).exists() or not abandoned):
        return False
    try:
        # Out of the way at once: a half of it must not be found.
        passing = place.with_name(f"{MARK}{secrets.token_hex(8)}")
        place.rename(passing)
        shutil.rmtree(passing)
    except OSError:
        return False
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return True


def _named(folder: Path, place: Path) -> Path:
    """Give a tree its place; return where it lies, which is as before if another one lies there."""
    try:
        return folder.rename(place)
    except OSError:
        # Of another build at the same time; or what is left of one, if it can be removed.
        if remove(place, abandoned=True):
            with suppress(OSError):
                return folder.rename(place)
    return folder


def _new_lock(folder: Path) -> int:
    """Make and lock the seal of a tree that is being made."""
    # Locked before it has its name, so that nobody finds it unlocked.
    making = folder / f"{_SEAL}.new"
    descriptor = os.open(making, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        making.rename(folder / _SEAL)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _lock(place: Path, how: int) -> int | None:
    """Return the seal of a place, locked; None if there is none, or others have it."""
    if place.is_symlink():
        return None
    try:
        descriptor = os.open(place / _SEAL, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        # Perhaps removed, and even made again, before it was locked.
        if os.path.samestat(os.fstat(descriptor), (place / _SEAL).stat()):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _facts(descriptor: int) -> dict[str, object]:
    """Return what a seal holds; nothing if it is damaged, or not written yet."""
    try:
        facts = json.loads(os.pread(descriptor, _MOST_READ, 0))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
