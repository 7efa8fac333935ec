"""What a store must be able to do, method by method; every backend runs one contract suite.

Two kinds of objects live in a store. *Documents* are small and are the only commit points: a
conditional write of one of them decides who wins. *Blobs* are large, and lie at keys that hold
their own digest, so that two uploads of one key are always of the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Progress = Callable[[int], None]
# Requests at once to one server, over a connection each; more bring nothing from one process.
MOST_REQUESTS = 24


@dataclass(frozen=True, slots=True)
class Document:
    """A small object and the entity tag that a conditional replacement of it must name."""

    data: bytes
    etag: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a listing.

    Attributes:
        modified: When it was last written, seconds since the epoch, by the store's clock.
    """

    key: str
    size: int
    modified: float = field(default=0, compare=False)


class Store(Protocol):
    """A place for documents and blobs. Keys are relative, `/`-separated, without `..`.

    All methods raise `StoreError` with the store's URL, the key and what to do, when the store
    cannot be reached or refuses; never an exception of the library beneath.
    """

    @property
    def url(self) -> str:
        """The URL that the configuration names, for messages; never with credentials."""

    @property
    def identity(self) -> str:
        """What tells this store from all others: its absolute URL, with the endpoint if any."""

    def read(self, key: str) -> Document:
        """Return a document. Raises ObjectMissing."""

    def create(self, key: str, data: bytes) -> str:
        """Write a document that must not be there yet; return its entity tag. Raises Conflict."""

    def replace(self, key: str, data: bytes, *, etag: str) -> str:
        """Write a document over the one that has `etag`; return the new one's tag.

        Raises Conflict if another stands there now, or none.
        """

    def upload(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        """Store a file's content at `key`, checked against `sha256` on the way.

        Does nothing if an object of the same size is there: the key holds the digest.
        `progress` is called with the number of bytes just sent.
        """

    def download(
        self, key: str, path: Path, *, sha256: str, progress: Progress | None = None
    ) -> None:
        """Write an object's content to `path`, atomically, once its digest has been checked.

        Raises ObjectMissing, CorruptArtifact.
        """

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Yield all objects whose key starts with `prefix`, sorted by key."""

    def delete(self, key: str) -> None:
        """Remove an object; no error if there is none."""

    def sweep_uploads(self, *, older: float) -> int:
        """Remove what uploads left that were killed more than `older` seconds ago; return how many.

        Such remains are never seen as objects; a bucket charges for them all the same.
        """

    def fetch_url(self, key: str, *, expires: int) -> str | None:
        """Return a URL from which a host can GET the object for `expires` seconds, or None.

        The URL may carry a signature: it is a secret and goes to hosts on standard input only.
        """

    def local_path(self, key: str) -> Path | None:
        """Return where the object lies on this machine, or None."""
