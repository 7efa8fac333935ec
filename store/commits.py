"""Which commits lie between two versions, as the history keeps them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from castoff.store.document import StoredDocument


class CommitRow(StoredDocument):
    """One commit.

    Attributes:
        id: Its short identifier.
        subject: The first line of its message.
        breaking: Whether a footer of the message says that it breaks something for users
            (Conventional Commits 1.0.0, item 12).
    """

    id: str
    subject: str
    breaking: bool = False


class Commits(StoredDocument):
    """What a version has that the one before it had not, and the other way round; newest first.

    Attributes:
        gained: Commits that came with the version; maybe not all.
        gained_count: How many came.
        lost: Commits that the version before had and this one has not, as after a rollback.
        lost_count: How many those are.
    """

    gained: tuple[CommitRow, ...] = ()
    gained_count: Annotated[int, Field(ge=0)] = 0
    lost: tuple[CommitRow, ...] = ()
    lost_count: Annotated[int, Field(ge=0)] = 0
