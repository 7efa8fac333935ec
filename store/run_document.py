"""The run: what is being done to an environment right now, written before it is done.

One document an environment, replaced by compare-and-swap alone. Whoever comes after a controller
that died reads in it how far that got; a controller that lost its lease cannot write it any more,
because the one that took over has.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys, swapped
from castoff.store.backend import Store
from castoff.store.outcomes import Kind
from castoff.store.swapped import SwappedDocument


class RunDocument(SwappedDocument):
    """One run.

    Attributes:
        release: The identifier that hosts note beside their intent.
        from_version: The version that was live when it began.
        commit: The version's git commit.
        token: Fencing token of the lease that it is written under.
        hosts: The names of the hosts that it is about, as they were when it began.
        only: Which of the environment's hosts those are, in words; empty for all.
        quarantined: Those of the hosts that it goes on without.
        phase: The phase that was begun last; `releaser/machine.py` has them all.
        batch: Which batch of hosts that phase is about, from 0.
        done: Names of the once-only steps that have run to their end.
        flipped: Whether a host may have flipped, in this run or in one before it that was never
            brought to its end.
        maintenance: `on` if the maintenance page is on meanwhile, `stay` if also after a failure.
        restores: The back-ups that it restores before hosts flip.
        migrate_down: Whether it takes back migrations that its version does not know.
        allow_incompatible: Whether it goes on although the version may not live with the database.
        started: Seconds since the epoch.
        over: Whether it has come to one of its ends, so that nothing is left to mend.
        told: Whether the history has what came of it.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    release: str
    kind: Kind
    version: str
    from_version: str | None
    commit: str
    who: str
    token: Annotated[int, Field(ge=1)]
    hosts: tuple[str, ...]
    phase: str
    batch: Annotated[int, Field(ge=0)] = 0
    done: tuple[str, ...] = ()
    flipped: bool = False
    started: float
    over: bool = False
    told: bool = False
    only: str = ""
    quarantined: tuple[str, ...] = ()
    maintenance: Literal["", "on", "stay"] = ""
    restores: tuple[str, ...] = ()
    migrate_down: bool = False
    allow_incompatible: bool = False


def read(store: Store, app: str, environment: str) -> tuple[RunDocument, str] | None:
    """Return the last run and its entity tag, or None before the first.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    return swapped.read(store, keys.run(app, environment), RunDocument)


def write(store: Store, app: str, environment: str, run: RunDocument, *, etag: str | None) -> str:
    """Write the run over the one that was read with `etag` (None: there was none).

    Returns:
        The new entity tag.

    Raises:
        Conflict: Another has written since: the lease is not ours any more.
        StoreError: The store cannot be written.
    """
    _, tag = swapped.write(
        store,
        keys.run(app, environment),
        run,
        etag=etag,
        lost=f"{store.url}: another controller has taken over {environment} of {app}",
        hint="This run has stopped. See `castoff status` and `castoff history`.",
    )
    return tag
