"""Many small documents at once: over a network, the round trips would add up."""

from __future__ import annotations

from collections.abc import Sequence

from castoff.store.backend import Store
from castoff.store.errors import ObjectMissing

# Within the ten connections that botocore keeps open for a client.
_THREADS = 8


def read_many(store: Store, keys: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return the keys with their documents' bytes, in the order given.

    A document that has been removed since it was listed is left out.

    Raises:
        StoreError: The store cannot be read.
    """

    def read(key: str) -> tuple[str, bytes] | None:
        try:
            return key, store.read(key).data
        except ObjectMissing:
            return None

    if len(keys) <= 1:
        return [found for found in map(read, keys) if found is not None]
    # Here, because it takes as long to load as a small store to list.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS, thread_name_prefix="castoff-read") as pool:
        return [found for found in pool.map(read, keys) if found is not None]
