"""Compress runs of bytes into independent gzip members, several at once, in a fixed order."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from castoff.store.filetable import Member

_LEVEL = 6
# A gzip container of 2**15 bytes' window: RFC 1952, with time 0 in the header.
_GZIP = 31


def compress_members(runs: Iterable[bytes], *, workers: int) -> Iterator[tuple[Member, bytes]]:
    """Yield each run's member and its compressed bytes, in the order of the runs.

    Args:
        runs: Raw bytes; taken as needed, so that only a few are in memory.
        workers: Threads; the result does not depend on their number.
    """
    offset = 0
    pending: deque[Future[tuple[bytes, int]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for run in runs:
            pending.append(pool.submit(_compress, run))
            if len(pending) > 2 * workers:
                member, data = _member(pending.popleft(), offset)
                offset += member.length
                yield member, data
        while pending:
            member, data = _member(pending.popleft(), offset)
            offset += member.length
            yield member, data


def _compress(run: bytes) -> tuple[bytes, int]:
    from zlib_ng import zlib_ng

    return zlib_ng.compress(run, _LEVEL, _GZIP), len(run)


def _member(future: Future[tuple[bytes, int]], offset: int) -> tuple[Member, bytes]:
    data, raw_length = future.result()
    digest = hashlib.sha256(data).hexdigest()
    return Member(offset, len(data), raw_length, digest, "gzip"), data
