"""Documents replaced by compare-and-swap alone: whoever has read an older one writes nothing."""

from __future__ import annotations

import secrets
from typing import TypeVar

from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import Conflict, ObjectMissing


class SwappedDocument(StoredDocument):
    """Such a document.

    Attributes:
        nonce: Another at each change. Entity tags are digests of the content on many servers, so
            without it going back to a state would look like never having left it.
    """

    nonce: str = ""


D = TypeVar("D", bound=SwappedDocument)


def read(store: Store, key: str, kind: type[D]) -> tuple[D, str] | None:
    """Return a document and its entity tag, or None if there is none.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    try:
        found = store.read(key)
    except ObjectMissing:
        return None
    return parse(kind, found.data, origin=f"{store.url}/{key}"), found.etag


def write(
    store: Store, key: str, document: D, *, etag: str | None, lost: str = "", hint: str = ""
) -> tuple[D, str]:
    """Write a document over the one that was read with `etag`; return it with its own.

    Args:
        store: Where.
        key: Its key.
        document: What it is to be; it gets another nonce.
        etag: Of the one that was read; None if there was none.
        lost: What it means that another has written since, in words; default: as the store says it.
        hint: What to do then.

    Raises:
        Conflict: Another has.
        StoreError: The store cannot be written.
    """
    new = document.model_copy(update={"nonce": secrets.token_hex(8)})
    data = new.to_bytes()
    try:
        tag = store.create(key, data) if etag is None else store.replace(key, data, etag=etag)
    except Conflict as error:
        # An answer that got lost may have hidden that we wrote it ourselves.
        seen = read(store, key, type(document))
        if seen is not None and seen[0].nonce == new.nonce:
            return seen
        if not lost:
            raise
        raise Conflict(lost, hint=hint) from error
    return new, tag
