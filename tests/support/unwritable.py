"""A store that fails where a test wants it."""

from __future__ import annotations

from typing import Any

from castoff.store.errors import StoreError


class Unwritable:
    """A store in which one key cannot be written as long as `broken` is set.

    Instead `error` is raised, by default the store's own.
    """

    def __init__(self, store: Any, part: str, error: BaseException | None = None) -> None:
        self._store, self._part, self.broken = store, part, True
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def create(self, key: str, data: bytes) -> str:
        self._check(key)
        return str(self._store.create(key, data))

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        self._check(key)
        return str(self._store.replace(key, data, etag=etag))

    def _check(self, key: str) -> None:
        if self.broken and self._part in key:
            raise self._error or StoreError(f"{key}: 503 SlowDown")
