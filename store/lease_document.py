"""The lease as it lies in the store, and whether another may take it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from castoff.store import swapped
from castoff.store.backend import Store
from castoff.store.process import Process
from castoff.store.swapped import SwappedDocument


class LeaseDocument(SwappedDocument):
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

    def is_free(self, now: float) -> bool:
        """Return whether another may take it: given back, expired, or its process has ended."""
        return self.released or now >= self.expires or self.process.is_dead()


def read(store: Store, key: str) -> tuple[LeaseDocument, str] | None:
    """Return the document and its entity tag, or None before the first lease.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    return swapped.read(store, key, LeaseDocument)
