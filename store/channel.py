"""The channel: an environment's pointer to the version that it should serve."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys, swapped
from castoff.store.backend import Store
from castoff.store.swapped import SwappedDocument


class Channel(SwappedDocument):
    """What an environment serves.

    Attributes:
        current: The version that is live.
        previous: The good version before it, where a rollback goes; None if there was none.
        serial: One more at each change.
        release: The identifier of the release that wrote it.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    current: str
    previous: str | None
    serial: Annotated[int, Field(ge=1)]
    release: str


def read(store: Store, app: str, environment: str) -> tuple[Channel, str] | None:
    """Return the channel and the entity tag for `advance`, or None before the first release.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    return swapped.read(store, keys.channel(app, environment), Channel)


def advance(
    store: Store,
    app: str,
    environment: str,
    seen: tuple[Channel, str] | None,
    *,
    current: str,
    previous: str | None,
    release: str,
) -> tuple[Channel, str]:
    """Point the channel at a version, if it is still as it was when it was read.

    Args:
        store: Where the channel is kept.
        app: The app.
        environment: The environment.
        seen: What `read` returned.
        current: The version that is live from now on.
        previous: The good version before it.
        release: The identifier of the release.

    Returns:
        The new channel with its entity tag.

    Raises:
        Conflict: Another has moved it since.
        StoreError: The store cannot be written.
    """
    channel = Channel(
        current=current,
        previous=previous,
        serial=1 if seen is None else seen[0].serial + 1,
        release=release,
    )
    return swapped.write(
        store,
        keys.channel(app, environment),
        channel,
        etag=None if seen is None else seen[1],
        lost=f"{store.url}: another release has moved the channel of {app} in {environment}",
        hint="See `castoff status` and `castoff history`, then decide again.",
    )
