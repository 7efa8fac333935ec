"""Whether a store keeps the promise that everything else rests on: conditional writes.

Some S3 gateways take a conditional write as an unconditional one and say nothing. On such a
store two releases could run at once and both believe that they hold the lock.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.digest import sha256
from castoff.store.durable import new_file
from castoff.store.errors import Conflict, StoreError


def probe(store: Store, *, cache: Path) -> None:
    """Try out conditional writes, once for a store on a machine.

    Args:
        store: The store; for a moment it holds an object below `.castoff/probe/`.
        cache: A folder, made if it is missing, that remembers the stores that passed.

    Raises:
        StoreError: The store ignores conditions, refuses a correct one, or cannot be reached.
    """
    passed = cache / f"store-{sha256(store.identity.encode())[:32]}"
    if passed.is_file():
        return
    key = keys.probe(secrets.token_hex(16))
    try:
        _try_out(store, key)
    finally:
        store.delete(key)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with new_file(passed) as new:
            new.write(f"{store.identity}\n".encode())
            new.replace()
    except OSError:
        return  # without a memory, the next run tries again


def _try_out(store: Store, key: str) -> None:
    first = store.create(key, b"first")
    if not _conflicts(lambda: store.create(key, b"second")):
        raise _ignores(store, "If-None-Match")
    try:
        store.replace(key, b"third", etag=first)
    except Conflict as error:
        raise StoreError(
            f"{store.url}: a conditional write with the right entity tag is refused",
            hint="The server changes entity tags between requests, so that channels and locks "
            "cannot be kept on it: use another server, or a file:// store.",
        ) from error
    if not _conflicts(lambda: store.replace(key, b"fourth", etag=first)):
        raise _ignores(store, "If-Match")
    if store.read(key).data != b"third":
        raise _ignores(store, "If-None-Match and If-Match")


def _conflicts(write: Callable[[], str]) -> bool:
    try:
        write()
    except Conflict:
        return True
    return False


def _ignores(store: Store, header: str) -> StoreError:
    return StoreError(
        f"{store.url}: this store silently ignores conditional writes ({header}), so channels "
        "and locks cannot be kept on it: two releases at once would both believe they are alone",
        hint="Use AWS S3 or a server that has them (docs/reference/store.md), or a file:// store.",
    )
