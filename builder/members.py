"""Compress runs of bytes into independent gzip members, several at once, in a fixed order."""

from __future__ import annotations

import platform
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import deflate

from castoff.builder.cache import Cache, key_of
from castoff.builder.runs import Run, Stretch
from castoff.store.digest import sha256
from castoff.store.filetable import Member

_STAGE = "members"
# Of libdeflate's twelve: smaller than zlib at its usual 6, in less than a third of the time.
_LEVEL = 5


def compress_members(
    runs: Iterable[Run | Stretch], *, workers: int, cache: Cache
) -> Iterator[tuple[Member, bytes]]:
    """Yield each run's member and its compressed bytes, in the order of the runs.

    Args:
        runs: Taken as needed, so that only a few are in memory.
        workers: Threads; the result does not depend on their number.
        cache: Where members of earlier builds are.

    Raises:
        BuildError: A run cannot be read.
        Damaged: A stretch is no longer what it was.
    """
    offset = 0
    for member, data in _in_order(runs, workers=workers, cache=cache):
        yield replace(member, offset=offset), data
        offset += member.length


def _in_order(
    runs: Iterable[Run | Stretch], *, workers: int, cache: Cache
) -> Iterator[tuple[Member, bytes]]:
    pending: deque[Future[tuple[Member, bytes]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for run in runs:
            if isinstance(run, Stretch):
                while pending:
                    yield pending.popleft().result()
                yield from run.settled.members(run.first)
                continue
            pending.append(pool.submit(_compress, run, cache))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _compress(run: Run, cache: Cache) -> tuple[Member, bytes]:
    key = key_of({"content": run.key, "level": _LEVEL, "deflate": compressor()})
    data = cache.read(_STAGE, key)
    if data is None:
        data = bytes(deflate.gzip_compress(run.read(), _LEVEL))
        cache.write(_STAGE, key, data)
    return Member(0, len(data), run.raw_length, sha256(data), "gzip"), data


def compressor() -> str:
    """Return what decides the bytes of a member, beside its content."""
    return f"{deflate.__version__} {platform.machine()}"
