"""The repository beside castoff.toml, for what is told of a run and left behind by it."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.builder.commits_between import MOST_NAMED, commits_between
from castoff.builder.errors import SourceError
from castoff.builder.git import Git
from castoff.builder.tags import make_tag, push_tag
from castoff.store.commits import Commits


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A repository, and the folder of it that an app lies in.

    Attributes:
        git: The repository.
        folder: Only commits that touch this folder count; `.` for all.
        most: How many commits are named; None for all.
    """

    git: Git
    folder: str = "."
    most: int | None = MOST_NAMED

    def between(self, before: str, after: str) -> Commits | None:
        """Return what one commit has that another has not; None where that is not known."""
        return commits_between(self.git, before, after, folder=self.folder, most=self.most)

    def origin(self) -> str:
        """Return the URL of the remote `origin`; empty where there is none."""
        try:
            return self.git.text("config", "--get", "remote.origin.url")
        except SourceError:
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
        """Put an annotated tag on a commit, and push it if a remote is named.

        Raises:
            SourceError: It could not be made or pushed; the hint is what to type.
        """
        make_tag(self.git, name, commit, message, tagger=tagger, who=who)
        if push:
            push_tag(self.git, name, commit, remote=push, limit=limit)
