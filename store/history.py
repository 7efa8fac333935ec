"""The history: one entry for every release, rollback and failure; written once, never changed."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import Conflict, ObjectMissing, UsageError
from castoff.store.gather import read_many

Kind = Literal["release", "rollback", "activate", "prepare"]
Outcome = Literal["released", "rolled back", "mixed", "failed", "prepared", "interrupted"]

_NUMBER = re.compile(r"([0-9]{8,})\.json", re.ASCII)


class StepRow(StoredDocument):
    """One step on one host.

    Attributes:
        started: Seconds since the epoch.
        seconds: How long it took.
        ok: Whether it ended well.
        phase: The phase of the run that it was part of; `releaser/machine.py` has them all.
        output: The last lines that it printed.
        left_out: How many lines came before those.
    """

    name: str
    started: float
    seconds: float
    ok: bool
    phase: str = ""
    output: tuple[str, ...] = ()
    left_out: Annotated[int, Field(ge=0)] = 0


class HostRow(StoredDocument):
    """One host.

    Attributes:
        downtime_seconds: From the first irreversible step to healthy; None if it never flipped.
        steps: In the order in which they ended.
        roles: What it was for when this happened.
        flipped: When its link was switched, seconds since the epoch; None if it was not.
        healthy: When it was found healthy after that; None if it was not.
    """

    name: str
    downtime_seconds: float | None
    steps: tuple[StepRow, ...]
    roles: tuple[str, ...] = ()
    flipped: float | None = None
    healthy: float | None = None


class Draft(StoredDocument):
    """What happened, before it has a number.

    Attributes:
        version: The version that was to go live.
        from_version: The one that was live before; None if none was.
        who: `user@host`.
        started: Seconds since the epoch.
        ended: The same.
        commit: The version's git commit.
        detail: What went wrong; empty where nothing did.
        activation_seconds: From the first irreversible step or flip to the last healthy host;
            None if none was healthy.
        skew_seconds: From the first host's flip to the last one's; None if none flipped.
        only: Which hosts of the environment it was about, in words; empty for all.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    kind: Kind
    version: str
    from_version: str | None
    outcome: Outcome
    who: str
    started: float
    ended: float
    commit: str
    detail: str
    activation_seconds: float | None
    hosts: tuple[HostRow, ...]
    skew_seconds: float | None = None
    only: str = ""


class Entry(Draft):
    """What happened; numbers grow from 1 in the order of writing, maybe with gaps."""

    number: Annotated[int, Field(ge=1)]


def append(store: Store, app: str, environment: str, draft: Draft) -> Entry:
    """Write an entry under the next free number and return it.

    Raises:
        StoreError: The store cannot be read or written.
    """
    number = max(_numbers(store, app, environment), default=0) + 1
    while True:
        entry = Entry(number=number, **dict(draft))
        try:
            store.create(keys.history(app, environment, number), entry.to_bytes())
        except Conflict:
            number += 1
        else:
            return entry


def entries(store: Store, app: str, environment: str, *, limit: int | None = None) -> list[Entry]:
    """Return the newest entries, newest first.

    Args:
        store: Where the history is kept.
        app: The app.
        environment: The environment.
        limit: How many; None means all.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: An entry does not fit its schema.
    """
    numbers = sorted(_numbers(store, app, environment), reverse=True)[:limit]
    documents = read_many(store, [keys.history(app, environment, number) for number in numbers])
    return [parse(Entry, data, origin=f"{store.url}/{key}") for key, data in documents]


def find(store: Store, app: str, environment: str, number: int | None) -> Entry:
    """Return one entry.

    Args:
        store: Where the history is kept.
        app: The app.
        environment: The environment.
        number: Which; None means the newest.

    Raises:
        UsageError: There is no such entry.
        StoreError: The store cannot be read.
        CorruptArtifact: The entry does not fit its schema.
    """
    if number is None:
        newest = entries(store, app, environment, limit=1)
        if not newest:
            raise UsageError(
                f"{app} has not been released to {environment} yet",
                hint="Put a version live first: castoff release VERSION",
            )
        return newest[0]
    key = keys.history(app, environment, number)
    try:
        found = store.read(key)
    except ObjectMissing as error:
        raise UsageError(
            f"the history of {app} in {environment} has no entry {number}",
            hint="See which there are: castoff history",
        ) from error
    return parse(Entry, found.data, origin=f"{store.url}/{key}")


def _numbers(store: Store, app: str, environment: str) -> list[int]:
    prefix = keys.history(app, environment)
    names = (entry.key.removeprefix(prefix) for entry in store.entries(prefix))
    return [int(match[1]) for match in map(_NUMBER.fullmatch, names) if match]
