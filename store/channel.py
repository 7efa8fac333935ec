"""The channel: an environment's pointer to the version that it should serve."""

from __future__ import annotations

import secrets
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import Conflict, ObjectMissing


class Channel(StoredDocument):
    """What an environment serves.

    Attributes:
        current: The version that is live.
        previous: The good version before it, where a rollback goes; None if there was none.
        serial: One more at each change.
        nonce: Another at each change. Entity tags are digests of the content on many servers, so
            without it going back to a state would look like never having left it.
        release: The identifier of the release that wrote it.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    current: str
    previous: str | None
    serial: Annotated[int, Field(ge=1)]
    nonce: str
    release: str


def read(store: Store, app: str, environment: str) -> tuple[Channel, str] | None:
    """Return the channel and the entity tag for `advance`, or None before the first release.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    key = keys.channel(app, environment)
    try:
        found = store.read(key)
    except ObjectMissing:
        return None
    return parse(Channel, found.data, origin=f"{store.url}/{key}"), found.etag


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
    key = keys.channel(app, environment)
    channel = Channel(
        current=current,
        previous=previous,
        serial=1 if seen is None else seen[0].serial + 1,
        nonce=secrets.token_hex(8),
        release=release,
    )
    try:
        if seen is None:
            return channel, store.create(key, channel.to_bytes())
        return channel, store.replace(key, channel.to_bytes(), etag=seen[1])
    except Conflict as error:
        raise Conflict(
            f"{store.url}: another release has moved the channel of {app} in {environment}",
            hint="See `castoff status` and `castoff history`, then decide again.",
        ) from error
