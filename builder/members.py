"""Compress runs of bytes into independent gzip members, several at once, in a fixed order."""

from __future__ import annotations

import platform
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import deflate

from castoff.builder.cache import Cache, key_of
from castoff.builder.errors import BuildError
from castoff.builder.forked import Forked
from castoff.builder.pack import Damaged
from castoff.builder.runs import Run
from castoff.store.digest import sha256
from castoff.store.filetable import Member

STAGE = "members"
# Of libdeflate's twelve: smaller than zlib at its usual 6, in less than a third of the time.
LEVEL = 5
# What comes before a member from a process: its length, and whether it is from the cache.
_HEAD = struct.Struct("<Q?")


@dataclass(frozen=True, slots=True)
class Compressed:
    """What a run has become.

    Attributes:
        raw_length: How many bytes the run has.
    """

    data: bytes
    raw_length: int

    def member(self, offset: int) -> Member:
        """Return the member that begins at an offset of the archive."""
        return Member(offset, len(self.data), self.raw_length, sha256(self.data), "gzip")


def compress_members(
    runs: Iterable[Run], *, workers: int, cache: Cache, many: bool = False
) -> Iterator[Compressed]:
    """Yield each run's compressed bytes, in the order of the runs.

    Args:
        runs: Their contents are read as needed, so that only a few are in memory.
        workers: Threads or processes; the result does not depend on their number.
        cache: Where members of earlier builds are.
        many: Whether it pays to start processes.

    Raises:
        BuildError: A run cannot be read.
    """
    made = _by_processes if many and workers > 1 else _by_threads
    return made(runs, workers, cache)


def _by_threads(runs: Iterable[Run], workers: int, cache: Cache) -> Iterator[Compressed]:
    pending: deque[Future[Compressed]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for run in runs:
            pending.append(pool.submit(compress_run, run, cache))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _by_processes(taken: Iterable[Run], workers: int, cache: Cache) -> Iterator[Compressed]:
    """Compress in processes: threads would wait for each other at each of the thousands of files.

    Forked, so that each knows the runs, of which it takes every so many. It writes members into a
    pipe of its own, and goes on as they are taken.
    """
    runs = list(taken)
    with Forked() as forked:
        pipes = [
            forked.say(partial(_send_all, runs[number::workers], cache))
            for number in range(workers)
        ]
        for number, run in enumerate(runs):
            pipe = pipes[number % workers]
            found = None if pipe is None else _receive(pipe)
            if found is None:
                # It was killed, or could not read a file: which one is told here.
                pipes[number % workers] = None
                yield compress_run(run, cache)
                continue
            data, kept = found
            if not kept:
                cache.write(STAGE, _key(run), data)
            yield Compressed(data, run.raw_length)


def _send_all(runs: Sequence[Run], cache: Cache, pipe: BinaryIO) -> None:
    with suppress(OSError, BuildError, Damaged):
        for run in runs:
            _send(pipe, run, cache)


def _send(pipe: BinaryIO, run: Run, cache: Cache) -> None:
    data = cache.read(STAGE, _key(run))
    kept = data is not None
    if data is None:
        data = compress(run.read())
    pipe.write(_HEAD.pack(len(data), kept))
    pipe.write(data)
    pipe.flush()


def _receive(pipe: BinaryIO) -> tuple[bytes, bool] | None:
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    length, kept = _HEAD.unpack(head)
    data = pipe.read(length)
    return (data, kept) if len(data) == length else None


def compress_run(run: Run, cache: Cache) -> Compressed:
    """Return a run's member, by the cache's word where it has one.

    Raises:
        BuildError: The run cannot be read.
        Damaged: The same of one that the cache has the content of.
    """
    key = _key(run)
    data = cache.read(STAGE, key)
    if data is None:
        data = compress(run.read())
        cache.write(STAGE, key, data)
    return Compressed(data, run.raw_length)


def _key(run: Run) -> str:
    return key_of({"content": run.key, "level": LEVEL, "deflate": compressor()})


def compress(data: bytes) -> bytes:
    """Return a gzip member that holds some bytes."""
    return bytes(deflate.gzip_compress(data, LEVEL))


def compressor() -> str:
    """Return what decides the bytes of a member, beside its content."""
    return f"{deflate.__version__} {platform.machine()}"
