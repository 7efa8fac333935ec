"""Which two versions release notes are about, and what lies between them."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.releaser.notes.notes import Notes, make_notes
from castoff.releaser.repository import Repository
from castoff.store import artifacts, channel, history
from castoff.store.backend import Store
from castoff.store.commits import Commits
from castoff.store.errors import UnknownVersion, UsageError


@dataclass(frozen=True, slots=True)
class Lineage:
    """An app's versions in one environment.

    Attributes:
        environment: Its name; None where versions are named and no environment is needed.
        repository: Where commits are looked up.
    """

    store: Store
    app: str
    environment: str | None
    repository: Repository

    def notes(self, version: str | None, since: str | None) -> Notes:
        """Return the notes of a version.

        Args:
            version: Which; default: the one that is live in the environment.
            since: The one before; default: for the live one, what was live before it came; for
                any other, the live one.

        Raises:
            UsageError: No version is named, and the environment has none; or none is before it.
            UnknownVersion: The store does not have one of them.
            StoreError: The store cannot be read.
        """
        live = self._live() if version is None or since is None else None
        if version is None:
            if live is None:
                raise UsageError(
                    f"{self.environment} of {self.app} has no version yet",
                    hint="Name one: castoff notes VERSION --since OTHER",
                )
            version = live
        before = since if since is not None else self._before(version, live)
        if before is None:
            raise UsageError(
                f"no version of {self.app} was live before {version}",
                hint=f"Name one: castoff notes {version} --since OTHER",
            )
        ends = (self._commit(before), self._commit(version))
        found = self.repository.between(*ends) or self._remembered(version, before)
        return make_notes(version, before, found, origin=self.repository.origin(), ends=ends)

    def _live(self) -> str | None:
        if self.environment is None:
            return None
        seen = channel.read(self.store, self.app, self.environment)
        return None if seen is None else seen[0].current

    def _before(self, version: str, live: str | None) -> str | None:
        if version != live or self.environment is None:
            return live
        for entry in history.entries(self.store, self.app, self.environment):
            came = entry.outcome == "released" and entry.version == version and not entry.only
            # A release of what was live already brought nothing.
            if came and entry.kind != "converge" and entry.from_version != version:
                return entry.from_version
        return None

    def _commit(self, version: str) -> str:
        manifest, _ = artifacts.fetch_manifest(self.store, self.app, version)
        return manifest.source.commit

    def _remembered(self, version: str, before: str) -> Commits | None:
        """Return what the history noted when a repository that had both commits was at hand."""
        if self.environment is None:
            return None
        entries = history.entries(self.store, self.app, self.environment)
        return next(
            (
                entry.commits
                for entry in entries
                if (entry.version, entry.from_version) == (version, before) and entry.commits
            ),
            None,
        )


def check_known(notes: Notes) -> Notes:
    """Return notes as they are, if it is known what lies between.

    Raises:
        UnknownVersion: Neither a repository nor the history knows.
    """
    if not notes.known:
        raise UnknownVersion(
            f"what lies between {notes.since} and {notes.version} is not known: the repository "
            "here does not have both commits",
            hint="Fetch them (git fetch --unshallow), or run this where they are.",
        )
    return notes
