"""The history: an entry for each run and each deed; written once, never changed.

A run is a release, a rollback or another way through the release machine, whatever came of it. A
deed is what somebody did to the environment beside that: `store/deed.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Literal, TypeVar

from pydantic import Field

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.commits import Commits
from castoff.store.deed import DEEDS, Deed, DeedDraft
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import Conflict, ObjectMissing, UsageError
from castoff.store.gather import read_many
from castoff.store.outcomes import Kind, Outcome, Way
from castoff.store.planned import Planned

# How many more documents are read at once where those before did not do.
_CHUNK = 50
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
        retried: Whether it failed and was tried again.
    """

    name: str
    started: float
    seconds: float
    ok: bool
    phase: str = ""
    output: tuple[str, ...] = ()
    left_out: Annotated[int, Field(ge=0)] = 0
    retried: bool = False


class HostRow(StoredDocument):
    """One host.

    Attributes:
        downtime_seconds: From the first irreversible step to healthy; None if it never flipped.
        steps: In the order in which they ended.
        roles: What it was for when this happened.
        flipped: When its link was switched, seconds since the epoch; None if it was not.
        healthy: When it was found healthy after that; None if it was not.
        fetched: How many bytes it fetched in which way; None where it was not prepared.
    """

    name: str
    downtime_seconds: float | None
    steps: tuple[StepRow, ...]
    roles: tuple[str, ...] = ()
    flipped: float | None = None
    healthy: float | None = None
    fetched: dict[Way, Annotated[int, Field(ge=0)]] | None = None


class QuarantineRow(StoredDocument):
    """A host that was in quarantine when the run ended.

    Attributes:
        name: Its name.
        since: Since when, seconds since the epoch.
        why: What was wrong with it.
    """

    name: str
    since: float
    why: str


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
        quarantined: Those of them that were in quarantine when it ended.
        job_url: The page of the CI job that ran it; empty where a person did.
        commits: What lies between `from_version` and `version`; None where that is not known.
        plan: What each host was to fetch and to run; None where it did not come that far.
        allowed: Migrations in the database that somebody let the version live with, though it may
            not.
        taken_back: Migrations that it was to take back before hosts flipped.
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
    quarantined: tuple[QuarantineRow, ...] = ()
    job_url: str = ""
    commits: Commits | None = None
    plan: Planned | None = None
    allowed: tuple[str, ...] = ()
    taken_back: tuple[str, ...] = ()


class Entry(Draft):
    """What happened; numbers grow from 1 in the order of writing, maybe with gaps."""

    number: Annotated[int, Field(ge=1)]


N = TypeVar("N", Entry, Deed)


def append(store: Store, app: str, environment: str, draft: Draft) -> Entry:
    """Write an entry under the next free number and return it.

    Raises:
        StoreError: The store cannot be read or written.
    """
    return _append(store, app, environment, lambda number: Entry(number=number, **dict(draft)))


def append_deed(store: Store, app: str, environment: str, draft: DeedDraft) -> Deed:
    """Write a deed under the next free number and return it; raises as `append`."""
    return _append(store, app, environment, lambda number: Deed(number=number, **dict(draft)))


def entries(store: Store, app: str, environment: str, *, limit: int | None = None) -> list[Entry]:
    """Return the newest runs, newest first; however many deeds lie between them.

    Args:
        store: Where the history is kept.
        app: The app.
        environment: The environment.
        limit: How many; None means all.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: An entry does not fit its schema.
    """
    runs = (one for one in _newest(store, app, environment, limit) if isinstance(one, Entry))
    return list(islice(runs, limit))


def everything(
    store: Store, app: str, environment: str, *, limit: int | None = None
) -> list[Entry | Deed]:
    """Return the newest runs and deeds, newest first; otherwise as `entries`."""
    return list(islice(_newest(store, app, environment, limit), limit))


def find(store: Store, app: str, environment: str, number: int | None) -> Entry:
    """Return one run.

    Args:
        store: Where the history is kept.
        app: The app.
        environment: The environment.
        number: Which; None means the newest.

    Raises:
        UsageError: There is no such entry, or it is no run.
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
    found = look_up(store, app, environment, number)
    if isinstance(found, Deed):
        raise UsageError(
            f"entry {number} of {app} in {environment} is not a release ({found.kind})",
            hint=f"See it: castoff history {number} --env {environment}",
        )
    return found


def look_up(store: Store, app: str, environment: str, number: int) -> Entry | Deed:
    """Return the run or deed of a number.

    Raises:
        UsageError: There is no such entry.
        StoreError: The store cannot be read.
        CorruptArtifact: The entry does not fit its schema.
    """
    key = keys.history(app, environment, number)
    try:
        found = store.read(key)
    except ObjectMissing as error:
        raise UsageError(
            f"the history of {app} in {environment} has no entry {number}",
            hint="See which there are: castoff history",
        ) from error
    return _parse(found.data, origin=f"{store.url}/{key}")


def _append(store: Store, app: str, environment: str, numbered: Callable[[int], N]) -> N:
    number = max(_numbers(store, app, environment), default=0) + 1
    while True:
        entry = numbered(number)
        try:
            store.create(keys.history(app, environment, number), entry.to_bytes())
        except Conflict:
            number += 1
        else:
            return entry


def _newest(
    store: Store, app: str, environment: str, at_once: int | None
) -> Iterator[Entry | Deed]:
    """Yield everything, newest first; the first `at_once` are read together (None: all)."""
    left = sorted(_numbers(store, app, environment), reverse=True)
    chunk = len(left) if at_once is None else at_once
    while left:
        names = [keys.history(app, environment, number) for number in left[:chunk]]
        for key, data in read_many(store, names):
            yield _parse(data, origin=f"{store.url}/{key}")
        left, chunk = left[chunk:], _CHUNK


def _parse(data: bytes, *, origin: str) -> Entry | Deed:
    try:
        document = json.loads(data)
    except ValueError:
        document = None
    if isinstance(document, dict) and document.get("kind") in DEEDS:
        return parse(Deed, data, origin=origin)
    return parse(Entry, data, origin=origin)


def _numbers(store: Store, app: str, environment: str) -> list[int]:
    prefix = keys.history(app, environment)
    names = (entry.key.removeprefix(prefix) for entry in store.entries(prefix))
    return [int(match[1]) for match in map(_NUMBER.fullmatch, names) if match]
