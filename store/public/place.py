"""What lies behind public URLs: a place for files with the headers that they are served with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Headers:
    """What a file is served with.

    Attributes:
        content_type: With its charset.
        content_encoding: `br`, `gzip` or `zstd`; None for a file that is served as it is.
        cache_control: RFC 9111, section 5.2.
    """

    content_type: str
    content_encoding: str | None
    cache_control: str


@dataclass(frozen=True, slots=True)
class Placed:
    """One file that is there.

    Attributes:
        key: Relative to the place, and to its URLs.
        size: Bytes.
        modified: When it was last written, seconds since the epoch, by the place's clock.
    """

    key: str
    size: int
    modified: float


class Shelf(Protocol):
    """What can be looked through and emptied. Its methods raise `StoreError` if it cannot be."""

    def listing(self, prefix: str = "") -> dict[str, Placed]:
        """Return all files whose key starts with `prefix`, by key."""

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files; no error for those that are not there."""


class Place(Shelf, Protocol):
    """A bucket's prefix or a folder. All methods raise `StoreError` if it cannot be used."""

    @property
    def url(self) -> str:
        """The URL that the configuration names, for messages; never with credentials."""

    def put(self, key: str, data: bytes, headers: Headers) -> None:
        """Write a file, whole or not at all, over any that is there."""

    def read(self, key: str) -> bytes:
        """Return a file's bytes. Raises ObjectMissing."""

    def allow_origins(self, origins: Sequence[str]) -> bool:
        """See that pages of these origins may use the files (CORS); return whether that is kept.

        False means that the place keeps no such rules and its web server has to.
        """
