"""Pins: versions that stay on an environment's hosts however many come after them."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import history, keys, swapped
from castoff.store.backend import Store
from castoff.store.deed import DeedDraft
from castoff.store.document import StoredDocument
from castoff.store.errors import UsageError
from castoff.store.freeze import clock
from castoff.store.swapped import SwappedDocument


class Pin(StoredDocument):
    """One pinned version.

    Attributes:
        owner: Who pinned it, `user@host`.
        since: Seconds since the epoch.
        reason: Why; may be empty.
    """

    version: str
    owner: str
    since: float
    reason: str


class Pins(SwappedDocument):
    """What lies in the store; the pins in the order in which they were made."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    pins: tuple[Pin, ...]


def pinned(store: Store, app: str, environment: str) -> tuple[Pin, ...]:
    """Return the environment's pins.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    return _read(store, app, environment)[0]


def pin(
    store: Store,
    app: str,
    environment: str,
    version: str,
    *,
    owner: str,
    reason: str,
    job_url: str = "",
) -> None:
    """Pin a version, and note it in the history.

    Raises:
        UsageError: It is pinned already.
        Conflict: Somebody else changed the pins at the same time.
        StoreError: The store cannot be read or written.
    """
    pins, etag = _read(store, app, environment)
    for other in pins:
        if other.version == version:
            why = f": {other.reason}" if other.reason else ""
            raise UsageError(
                f"{version} is pinned in {environment} of {app} already, by {other.owner} at "
                f"{clock(other.since)}{why}",
                hint=f"To let it go: castoff unpin {version} --env {environment}",
            )
    now = time.time()
    one = Pin(version=version, owner=owner, since=now, reason=reason)
    _write(store, app, environment, (*pins, one), etag)
    draft = DeedDraft(
        kind="pin", who=owner, job_url=job_url, at=now, reason=reason, version=version
    )
    history.append_deed(store, app, environment, draft)


def unpin(
    store: Store, app: str, environment: str, version: str, *, owner: str, job_url: str = ""
) -> None:
    """Let a pinned version go, and note it in the history; raises as `pin`."""
    pins, etag = _read(store, app, environment)
    left = tuple(other for other in pins if other.version != version)
    if len(left) == len(pins):
        there = ", ".join(other.version for other in pins) or "none"
        raise UsageError(
            f"{version} is not pinned in {environment} of {app}", hint=f"Pinned: {there}."
        )
    _write(store, app, environment, left, etag)
    draft = DeedDraft(kind="unpin", who=owner, job_url=job_url, at=time.time(), version=version)
    history.append_deed(store, app, environment, draft)


def _read(store: Store, app: str, environment: str) -> tuple[tuple[Pin, ...], str | None]:
    seen = swapped.read(store, keys.pins(app, environment), Pins)
    return ((), None) if seen is None else (seen[0].pins, seen[1])


def _write(
    store: Store, app: str, environment: str, pins: tuple[Pin, ...], etag: str | None
) -> None:
    swapped.write(
        store,
        keys.pins(app, environment),
        Pins(pins=pins),
        etag=etag,
        lost=f"somebody else changed the pins of {environment} of {app} at the same moment",
        hint="Try again.",
    )
