"""Ask for public files as a browser would, and hold the answers against the release."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from castoff.store.asset_list import PublicFile
from castoff.store.public.key import url_of

_OK = 200
_THREADS = 16
# What servers call a file whose type they do not know; a browser would not run or apply it.
_UNKNOWN_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/plain"})
_BLOCK = 64 * 1024
_TIMEOUT = Timeout(connect=10, read=30)
# A CDN that has just been filled may need a moment.
_RETRY = Retry(
    total=4,
    backoff_factor=0.25,
    status_forcelist=(429, 500, 502, 503, 504),
    respect_retry_after_header=True,
    raise_on_status=False,
    redirect=3,
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A URL that does not answer as it should, and what it does instead."""

    url: str
    why: str


def wrong_answers(
    bases: Sequence[str],
    files: Sequence[PublicFile],
    *,
    origins: Sequence[str] = (),
    progress: Callable[[int], None] | None = None,
) -> list[Wrong]:
    """Ask for every file below every base URL; return the answers that are not as they should be.

    An answer is right if it is a 200 whose bytes have the file's digest, of a type that browsers
    take it for, and, where pages of other origins load it, with leave for them (CORS, Fetch
    standard 3.2.3).

    Args:
        bases: Base URLs, each ending in a slash.
        files: What must be there; compressed copies are asked for by their own names.
        origins: One of these is named in the `Origin` header; none is if empty.
        progress: Called with 1 after each answer.
    """
    pool = urllib3.PoolManager(
        num_pools=len(bases), maxsize=_THREADS, timeout=_TIMEOUT, retries=_RETRY
    )
    origin = None if not origins else "https://castoff.invalid" if "*" in origins else origins[0]

    def ask(what: tuple[str, PublicFile]) -> Wrong | None:
        url, file = what
        why = _what_is_wrong(pool, url, file, origin)
        if progress is not None:
            progress(1)
        return None if why is None else Wrong(url, why)

    wanted = [(url_of(base, file.path), file) for base in bases for file in files]
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="castoff-ask") as threads:
        found = list(threads.map(ask, wanted))
    pool.clear()
    return [wrong for wrong in found if wrong is not None]


def _what_is_wrong(
    pool: urllib3.PoolManager, url: str, file: PublicFile, origin: str | None
) -> str | None:
    headers = {"Accept-Encoding": "identity", "User-Agent": "castoff"}
    if origin is not None:
        headers["Origin"] = origin
    try:
        answer = pool.request("GET", url, headers=headers, preload_content=False)
        digest = hashlib.sha256()
        size = 0
        try:
            if answer.status != _OK:
                return f"answers with status {answer.status}"
            # As it came: a compressed copy is checked as it lies there.
            for block in answer.stream(_BLOCK, decode_content=False):
                digest.update(block)
                size += len(block)
        finally:
            answer.drain_conn()
            answer.release_conn()
    except HTTPError as error:
        return f"does not answer: {_reason(error)}"
    if digest.hexdigest() != file.sha256:
        what = f"{size} bytes, not {file.size}" if size != file.size else "other content"
        return f"answers with the wrong bytes ({what})"
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    if kind in _UNKNOWN_TYPES and kind != file.content_type.partition(";")[0]:
        return f"is served as {kind or 'nothing'}, not as {file.content_type}"
    allowed = answer.headers.get("Access-Control-Allow-Origin")
    if origin is not None and allowed not in ("*", origin):
        return f"gives no leave to pages of other origins (Access-Control-Allow-Origin: {allowed})"
    return None


def _reason(error: HTTPError) -> str:
    return str(getattr(error, "reason", None) or error).split(": ", 1)[-1]
