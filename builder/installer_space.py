"""What installers keep for builds, within a bound of its own: uv and pip have none."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from castoff.builder.cache_space import size_of
from castoff.builder.errors import BuildError
from castoff.builder.interpreter import uv
from castoff.builder.process import run

# Seconds. There may be a hundred thousand files, and counting them takes long.
_EVERY = 24 * 3600
_STAMP = "installers-counted"


def prune_installers(
    folder: Path, bound: int, *, env: Mapping[str, str], seldom: bool = False
) -> int:
    """Remove what uv and pip keep where each has more than the bound; return the bytes freed.

    uv lets go of what it would only have to fetch again, and of all if that is not enough; it waits
    for others of its kind that are at work. What fails is left for the next time.

    Args:
        folder: The cache's.
        bound: Bytes that each may keep.
        env: The environment for uv.
        seldom: Whether nothing is to be done within a day of the last time, or of the first time
            that it was asked for. Nothing is done either while some build fetches and installs.
    """
    try:
        file = (folder / _STAMP).open("a+b", buffering=0)
    except OSError:
        return 0
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        # Nothing is written there but for this, so that its time is that of the last count.
        recent = time.time() - os.fstat(file.fileno()).st_mtime < _EVERY
        counted = file.seek(0, os.SEEK_END) > 0
        if seldom and counted and recent:
            return 0
        # A disk that is full is no reason to make no room on it, nor one for a build to fail.
        with suppress(OSError):
            file.truncate(0)
            file.write(b"counted\n")
        if seldom and not counted:
            # To count what a first build has just fetched takes longer than to publish it.
            return 0
        return _prune_uv(folder / "uv", bound, env) + _prune_pip(folder / "pip", bound)


@contextmanager
def in_use(folder: Path | None) -> Iterator[None]:
    """Keep what installers have fetched from being pruned before it is installed.

    Args:
        folder: The cache's; None where installers keep nothing in it.
    """
    with ExitStack() as held:
        if folder is not None:
            with suppress(OSError):
                file = held.enter_context((folder / _STAMP).open("a+b"))
                fcntl.flock(file, fcntl.LOCK_SH)
        yield


def _prune_uv(place: Path, bound: int, env: Mapping[str, str]) -> int:
    before = left = size_of(place)
    for words in (("prune", "--ci"), ("clean",)):
        # What lies behind a link is not ours.
        if left <= bound or place.is_symlink():
            break
        argv: list[str | Path] = [uv(), "cache", *words, "--quiet", "--cache-dir", place]
        with suppress(BuildError):
            run(argv, cwd=place.parent, env=env, task="bound what uv keeps")
        left = size_of(place)
    return before - left


def _prune_pip(place: Path, bound: int) -> int:
    size = size_of(place)
    if size <= bound or place.is_symlink():
        return 0
    shutil.rmtree(place, ignore_errors=True)
    return size - size_of(place)
