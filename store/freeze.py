"""The freeze: a person's word that an environment stays as it is until further notice."""

from __future__ import annotations

import time
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import history, keys, swapped
from castoff.store.backend import Store
from castoff.store.deed import DeedDraft
from castoff.store.errors import Locked, UsageError
from castoff.store.swapped import SwappedDocument


class Freeze(SwappedDocument):
    """What lies in the store.

    Attributes:
        owner: Who spoke last, `user@host`.
        reason: Why; empty once the environment is free again.
        since: Seconds since the epoch.
        frozen: Whether it is in force.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    owner: str
    reason: str
    since: float
    frozen: bool


def read(store: Store, app: str, environment: str) -> tuple[Freeze, str] | None:
    """Return the document and its entity tag, or None if there never was a freeze.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    return swapped.read(store, keys.freeze(app, environment), Freeze)


def in_force(store: Store, app: str, environment: str) -> Freeze | None:
    """Return the freeze if the environment is frozen; raises as `read`."""
    seen = read(store, app, environment)
    return seen[0] if seen is not None and seen[0].frozen else None


def check(store: Store, app: str, environment: str) -> None:
    """Return if the environment is free.

    Raises:
        Locked: It is frozen; the message says by whom, since when and why.
        StoreError: The store cannot be read.
    """
    freeze = in_force(store, app, environment)
    if freeze is not None:
        raise Locked(
            f"{environment} of {app} was frozen by {freeze.owner} at {clock(freeze.since)}: "
            f"{freeze.reason}",
            hint=f"When that is over: castoff unlock --env {environment}",
        )


def put(
    store: Store,
    app: str,
    environment: str,
    *,
    owner: str,
    reason: str,
    frozen: bool,
    job_url: str = "",
) -> None:
    """Freeze an environment, or set it free, and note that in the history.

    Raises:
        UsageError: It is so already.
        Conflict: Somebody else spoke at the same time.
        StoreError: The store cannot be read or written.
    """
    seen = read(store, app, environment)
    if (seen is not None and seen[0].frozen) == frozen:
        if seen is not None and frozen:
            check(store, app, environment)
        raise UsageError(f"{environment} of {app} is not frozen")
    document = Freeze(owner=owner, reason=reason, since=time.time(), frozen=frozen)
    swapped.write(
        store,
        keys.freeze(app, environment),
        document,
        etag=None if seen is None else seen[1],
        lost=f"somebody else changed the freeze of {environment} of {app} at the same moment",
        hint="Look with `castoff status`, then decide again.",
    )
    draft = DeedDraft(
        kind="lock" if frozen else "unlock",
        who=owner,
        job_url=job_url,
        at=document.since,
        reason=reason,
    )
    history.append_deed(store, app, environment, draft)


def clock(moment: float) -> str:
    """Return seconds since the epoch as people read them."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))
