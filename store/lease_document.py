"""The lease as it lies in the store, and whether another may take it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import ObjectMissing
from castoff.store.process import Process


class LeaseDocument(StoredDocument):
    """What lies in the store.

    Attributes:
        owner: `user@host`.
        hostname: The machine that holds it.
        process: The process there.
        reason: What it is held for.
        token: The fencing token; one more at each lease.
        acquired: Seconds since the epoch.
        expires: The same; from then on anybody may take it.
        released: Whether the holder gave it back.
        nonce: Another at each change, so that no two states have one entity tag.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    owner: str
    hostname: str
    process: Process
    reason: str
    token: Annotated[int, Field(ge=1)]
    acquired: float
    expires: float
    released: bool
    nonce: str

    def is_free(self, now: float) -> bool:
        """Return whether another may take it: given back, expired, or its process has ended."""
        return self.released or now >= self.expires or self.process.is_dead()


def read(store: Store, key: str) -> tuple[LeaseDocument, str] | None:
    """Return the document and its entity tag, or None before the first lease.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    try:
        found = store.read(key)
    except ObjectMissing:
        return None
    return parse(LeaseDocument, found.data, origin=f"{store.url}/{key}"), found.etag
