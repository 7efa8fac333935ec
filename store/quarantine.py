"""The quarantine: hosts of an environment that releases went on without.

One document an environment, replaced by compare-and-swap alone, under the environment's lease.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys, swapped
from castoff.store.backend import Store
from castoff.store.document import StoredDocument
from castoff.store.swapped import SwappedDocument


class Quarantined(StoredDocument):
    """One host.

    Attributes:
        host: Its name in castoff.toml.
        since: Seconds since the epoch.
        why: What was wrong with it the last time that a release tried.
        version: The version of the last release that went on without it.
        release: The identifier of the run that put it here.
        number: The number of that run in the history; None until it is there.
        drained: Whether the environment's `drain` command has taken it out of service.
    """

    host: str
    since: float
    why: str
    version: str
    release: str
    number: Annotated[int, Field(ge=1)] | None = None
    drained: bool = False


class Quarantine(SwappedDocument):
    """What lies in the store; the hosts in the order of their names."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    hosts: tuple[Quarantined, ...]


def read(store: Store, app: str, environment: str) -> tuple[Quarantine, str] | None:
    """Return the document and its entity tag, or None if no host was ever in quarantine.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    return swapped.read(store, keys.quarantine(app, environment), Quarantine)


def write(
    store: Store,
    app: str,
    environment: str,
    hosts: Iterable[Quarantined],
    *,
    etag: str | None,
) -> str:
    """Write the document over the one that was read with `etag` (None: there was none).

    Returns:
        The new entity tag.

    Raises:
        Conflict: Another has written since: the lease is not ours any more.
        StoreError: The store cannot be written.
    """
    _, tag = swapped.write(
        store,
        keys.quarantine(app, environment),
        Quarantine(hosts=tuple(sorted(hosts, key=lambda one: one.host))),
        etag=etag,
        lost=(
            f"{store.url}: another controller has changed the quarantine of {environment} of {app}"
        ),
        hint="This run has stopped. See `castoff status` and `castoff history`.",
    )
    return tag
