"""What people did to an environment beside releasing to it, as the history keeps it."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from castoff.store.document import StoredDocument

DeedKind = Literal[
    "lock",
    "unlock",
    "pin",
    "unpin",
    "prune",
    "maintenance on",
    "maintenance off",
    "backup",
    "restore",
]
DEEDS = frozenset(get_args(DeedKind))


class PrunedRow(StoredDocument):
    """One host that was pruned.

    Attributes:
        removed: The versions that it had and has no more.
        freed: Bytes of disk.
        trouble: Why nothing was done there; empty where something was.
    """

    name: str
    removed: tuple[str, ...] = ()
    freed: Annotated[int, Field(ge=0)] = 0
    trouble: str = ""


class DeedDraft(StoredDocument):
    """What was done, before it has a number.

    Attributes:
        who: `user@host`.
        job_url: The page of the CI job that did it; empty where a person did.
        at: Seconds since the epoch.
        reason: Why, as whoever did it said; may be empty.
        version: The one that was pinned or unpinned; None for what is about no single one.
        only: Which hosts were pruned, or have or had the page, in words; empty for all.
        hosts: What pruning did on each host.
        trouble: Why it came to nothing, or was done on some hosts alone; empty where it was done.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    kind: DeedKind
    who: str
    job_url: str = ""
    at: float
    reason: str = ""
    version: str | None = None
    only: str = ""
    hosts: tuple[PrunedRow, ...] = ()
    trouble: str = ""


class Deed(DeedDraft):
    """What was done; its number is one of those that releases have too."""

    number: Annotated[int, Field(ge=1)]
