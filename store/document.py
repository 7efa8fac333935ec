"""The base of the small JSON documents that a store holds beside artifacts."""

from __future__ import annotations

from typing import TypeVar

from pydantic import ConfigDict, ValidationError

from castoff.store import canonical
from castoff.store.deferred import Deferred
from castoff.store.errors import CorruptArtifact

D = TypeVar("D", bound="StoredDocument")


class StoredDocument(Deferred):
    """A frozen, strict document; unknown fields are an error, as they might matter."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    def to_bytes(self) -> bytes:
        """Return the canonical JSON that is stored."""
        return canonical.dumps(self.model_dump(mode="json", by_alias=True))


def parse(kind: type[D], data: bytes, *, origin: str) -> D:
    """Read a document's bytes.

    Args:
        kind: What it should be.
        data: The bytes, as stored.
        origin: Store and key, for the message.

    Raises:
        CorruptArtifact: They do not fit the schema.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise CorruptArtifact(
            f"{origin}: not a {kind.__name__.lower()} document: {where}: {first['msg']}",
            hint="It was written by another version of Castoff, or is damaged.",
        ) from error
