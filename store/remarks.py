"""What went wrong after a run had its entry in the history: who was not told, which tag is missing.

An entry is never changed, and it is written before anybody is told of it. So this lies beside it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import ObjectMissing
from castoff.store.gather import read_many

_NAME = re.compile(r"([0-9]{8,})\.remarks\.json", re.ASCII)


class Remarks(StoredDocument):
    """What people should know of one run beside its outcome.

    Attributes:
        number: The run's.
        remarks: A line each.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    number: Annotated[int, Field(ge=1)]
    remarks: tuple[str, ...]


def write(store: Store, app: str, environment: str, remarks: Remarks) -> None:
    """Keep the remarks of a run; once.

    Raises:
        Conflict: It has some already.
        StoreError: The store cannot be written.
    """
    store.create(keys.remarks(app, environment, remarks.number), remarks.to_bytes())


def read(store: Store, app: str, environment: str, number: int) -> tuple[str, ...]:
    """Return the remarks of one run; none for most.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: They do not fit their schema.
    """
    key = keys.remarks(app, environment, number)
    try:
        found = store.read(key)
    except ObjectMissing:
        return ()
    return parse(Remarks, found.data, origin=f"{store.url}/{key}").remarks


def read_all(
    store: Store, app: str, environment: str, numbers: Collection[int]
) -> dict[int, tuple[str, ...]]:
    """Return the remarks of those of some runs that have any; raises as `read`."""
    prefix = keys.history(app, environment)
    names = {
        int(match[1]): entry.key
        for entry in store.entries(prefix)
        if (match := _NAME.fullmatch(entry.key.removeprefix(prefix))) and int(match[1]) in numbers
    }
    return {
        one.number: one.remarks
        for key, data in read_many(store, sorted(names.values()))
        for one in [parse(Remarks, data, origin=f"{store.url}/{key}")]
    }
