"""The repository beside castoff.toml, as far as a run has to do with it."""

from __future__ import annotations

from typing import Protocol

from castoff.store.commits import Commits
from castoff.store.errors import UsageError


class Repository(Protocol):
    """What lies between commits, and tags on them; asked only for what a run tells afterwards."""

    def between(self, before: str, after: str) -> Commits | None:
        """Return what one commit has that another has not; None where that is not known."""

    def origin(self) -> str:
        """Return the URL that the repository was cloned from; empty where that is not known."""

    def tag(
        self,
        name: str,
        commit: str,
        message: str,
        *,
        tagger: str,
        who: str,
        push: str,
        limit: float,
    ) -> None:
        """Put an annotated tag on a commit; that it is there already is fine.

        Args:
            name: The tag's.
            commit: The commit's full identifier.
            message: Its text.
            tagger: Who tags, `NAME <ADDRESS>`; empty for whom git is configured for.
            who: Who tags where that is not known either, `user@host`.
            push: Remote to push it to; empty for none.
            limit: Seconds that the push may take.

        Raises:
            CastoffError: It could not be made or pushed; the hint is what to type.
        """


class NoRepository:
    """For whoever runs releases without one."""

    def between(self, before: str, after: str) -> Commits | None:
        """Return that it is not known."""
        del before, after
        return None

    def origin(self) -> str:
        """Return nothing."""
        return ""

    def tag(
        self,
        name: str,
        commit: str,
        message: str,
        *,
        tagger: str,
        who: str,
        push: str,
        limit: float,
    ) -> None:
        """Refuse to.

        Raises:
            UsageError: Always.
        """
        del commit, message, tagger, who, push, limit
        raise UsageError(f"there is no repository here for the tag {name}")
