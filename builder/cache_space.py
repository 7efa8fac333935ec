"""What the cache holds, and how it is kept within its bound."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from castoff.builder import sealed_tree
from castoff.builder.sealed_tree import MARK
from castoff.store.errors import CastoffError, ExitCode

# Stages, each a folder of entries that can be made again one by one.
STAGES = (
    "dependencies",
    "files",
    "wheels",
    "bytecode",
    "members",
    "archives",
    "secrets",
    "assets/results",
    "bounds",
    "configuration",
    "migrations",
    "trees",
)
# Of this one entries are folders, too.
_TREES = "trees"
# What tools have fetched, or keep in a form of their own: not counted. Tools leave only with all
# the rest, for half a tool is none; what installers keep has its own bound (`installer_space`).
_TOOLS = {"assets/tools": ("assets/npm", "assets/node"), "installers": ("uv", "pip")}

# The bytes of all entries when they were last counted, and what each build has written since.
_NOTES = "written"
_COUNTED = b"="
# Builds, and bytes of such a file, after which entries are counted again.
_BUILDS = 50
_MOST_NOTED = 4096

# Seconds after which nobody is still writing an entry.
_ABANDONED = 24 * 3600


class CacheError(CastoffError):
    """The cache's folder cannot be read or changed."""

    exit_code = ExitCode.BUILD


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of the cache one stage takes.

    Attributes:
        stage: Its folder.
        entries: How many there are.
        size: Bytes.
    """

    stage: str
    entries: int
    size: int


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    used: int
    size: int
    is_tree: bool = False


def usage(folder: Path) -> tuple[Usage, ...]:
    """Return what each stage takes, those that take nothing among them.

    Args:
        folder: The cache's; it may be missing.
    """
    found = []
    for stage in STAGES:
        entries = list(_of_stage(folder, stage))
        found.append(Usage(stage, len(entries), sum(entry.size for entry in entries)))
    for stage, names in _TOOLS.items():
        entries = [entry for name in names for entry in _entries(folder / name)]
        found.append(Usage(stage, len(entries), sum(entry.size for entry in entries)))
    return tuple(found)


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder, which may be missing."""
    return sum(entry.size for entry in _entries(folder))


def prune(folder: Path, bound: int) -> int:
    """Remove the least recently used entries until the rest fits; return the bytes freed.

    Builds may read and write meanwhile. What cannot be removed stays, and the next one tries again.

    Args:
        folder: The cache's.
        bound: Bytes that may stay.
    """
    return _prune(folder, bound)[0]


def keep_within(folder: Path, bound: int, *, written: int) -> None:
    """Do as `prune` does, but count entries only where there may be too many.

    What builds have written since entries were last counted is noted in a file, which may take
    some bytes for two that were written again; and now and then they are counted all the same.

    Args:
        folder: The cache's.
        bound: Bytes that may stay.
        written: Bytes that this build wrote.
    """
    notes = folder / _NOTES
    try:
        descriptor = os.open(notes, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.write(descriptor, b"%d\n" % written)
            counted, *lines = os.pread(descriptor, _MOST_NOTED, 0).split()
        finally:
            os.close(descriptor)
        known = int(counted.removeprefix(_COUNTED)) + sum(map(int, lines))
        if counted.startswith(_COUNTED) and len(lines) <= _BUILDS and known <= bound:
            return
    except (OSError, ValueError):
        # There is none, or it was damaged.
        pass
    _, left = _prune(folder, bound)
    passing = notes.with_name(f"{MARK}{_NOTES}{os.getpid()}")
    with suppress(OSError):
        passing.write_bytes(b"%b%d\n" % (_COUNTED, left))
        passing.replace(notes)


def clear(folder: Path) -> int:
    """Remove all that Castoff keeps there, tools too; return the bytes freed.

    Raises:
        CacheError: Something cannot be removed.
    """
    freed = sum(one.size for one in usage(folder))
    with suppress(OSError):
        (folder / _NOTES).unlink()
    for name in (*STAGES, *(name for names in _TOOLS.values() for name in names)):
        place = folder / name
        if place.is_symlink() or not place.exists():
            continue
        if name == _TREES:
            freed -= _clear_trees(folder)
            continue
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise CacheError(
                f"{error.filename or place}: {error.strerror}",
                hint="The cache is yours to remove by hand, at any time.",
            ) from error
    return freed


def _clear_trees(folder: Path) -> int:
    """Remove all trees that no build runs code with; return the bytes of those left."""
    left = 0
    for entry in _of_stage(folder, _TREES):
        if entry.is_tree and not sealed_tree.remove(entry.path, abandoned=True):
            left += entry.size
        elif not entry.is_tree:
            _unlink(entry.path)
    return left


def _prune(folder: Path, bound: int) -> tuple[int, int]:
    """Do so; return the bytes freed, and those left."""
    entries = [entry for stage in STAGES for entry in _of_stage(folder, stage)]
    left = sum(entry.size for entry in entries)
    abandoned = time.time_ns() - _ABANDONED * 10**9
    freed = 0
    for entry in sorted(entries, key=lambda entry: entry.used):
        unfinished = entry.path.name.startswith(MARK)
        if entry.is_tree:
            # One that is being made or used is locked, and stays.
            due = unfinished or not entry.size or left > bound
            gone = due and sealed_tree.remove(entry.path, abandoned=entry.used < abandoned)
        elif (unfinished and entry.used < abandoned) or (not unfinished and left > bound):
            gone = _unlink(entry.path)
        else:
            continue
        if gone:
            left -= entry.size
            freed += entry.size
    return freed, left


def _unlink(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _of_stage(folder: Path, stage: str) -> Iterator[_Entry]:
    """Yield the entries of a stage."""
    if stage != _TREES:
        yield from _entries(folder / stage)
        return
    for group in _inside(folder / stage):
        for entry in _inside(Path(group.path)) if group.is_dir(follow_symlinks=False) else ():
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                yield _Entry(path, sealed_tree.used(path), sealed_tree.size_of(path), is_tree=True)
            elif entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    yield _Entry(path, status.st_mtime_ns, status.st_size)


def _inside(folder: Path) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing if it is none, or a link."""
    try:
        if folder.is_symlink():
            return []
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _entries(folder: Path) -> Iterator[_Entry]:
    """Yield all files below a folder; no link is followed, and what vanishes meanwhile is not."""
    pending = [folder]
    while pending:
        for entry in _inside(pending.pop()):
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    pending.append(Path(entry.path))
                elif stat.S_ISREG(status.st_mode):
                    yield _Entry(Path(entry.path), status.st_mtime_ns, status.st_size)
