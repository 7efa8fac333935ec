"""Which versions release notes are about where not both are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.job import Scope
from castoff.releaser.notes.between import Lineage, check_known
from castoff.releaser.notes.notes import Notes
from castoff.releaser.release import resolve, run
from castoff.releaser.repository import NoRepository
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import artifacts
from castoff.store.commits import CommitRow, Commits
from castoff.store.errors import UnknownVersion, UsageError
from castoff.store.manifest import Manifest, Source
from support.local_scope import make_scope
from support.memory_fleet import MemoryFleet


class Full(NoRepository):
    """A repository that has every commit."""

    def between(self, before: str, after: str) -> Commits:
        row = CommitRow(id="abc1234", subject=f"{before[:1]} to {after[:1]}")
        return Commits(gained=(row,), gained_count=1)


@pytest.fixture
def scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scope:
    made = make_scope(tmp_path, [], hosts=1)
    whole = artifacts.fetch_manifest

    def by_version(*where: object, **how: object) -> tuple[Manifest, bytes]:
        manifest, data = whole(*where, **how)  # type: ignore[arg-type]
        source = Source(commit=manifest.version * 40, ref="main", time=0)
        return manifest.model_copy(update={"source": source}), data

    monkeypatch.setattr(artifacts, "fetch_manifest", by_version)
    return made


def release(scope: Scope, *versions: str) -> None:
    for version in versions:
        fleet = MemoryFleet()
        run(resolve(scope, "release", version), Timeline(Silent()), connect=fleet.connect)
        fleet.hang_up()


def notes(scope: Scope, version: str | None = None, since: str | None = None) -> Notes:
    return Lineage(scope.store, scope.app, "production", Full()).notes(version, since)


def told(made: Notes) -> str:
    return made.sections[0].changes[0].subject.text


def test_what_is_live_is_told_since_what_was_and_what_is_not_since_what_is(scope: Scope) -> None:
    release(scope, "1", "2", "2")
    assert told(notes(scope)) == "1 to 2"
    assert told(notes(scope, "2")) == "1 to 2"
    assert told(notes(scope, "3")) == "2 to 3"
    assert told(notes(scope, "1")) == "2 to 1"
    assert told(notes(scope, "3", "1")) == "1 to 3"


def test_without_a_version_before_one_has_to_be_named(scope: Scope) -> None:
    with pytest.raises(UsageError, match="has no version yet"):
        notes(scope)
    with pytest.raises(UsageError, match="no version of pages was live before 1"):
        notes(scope, "1")
    release(scope, "1")
    with pytest.raises(UsageError, match="no version of pages was live before 1"):
        notes(scope)
    with pytest.raises(UnknownVersion):
        notes(scope, "1", "9")


def test_without_the_commits_the_history_remembers_or_it_is_said(scope: Scope) -> None:
    release(scope, "1")
    remembering = replace(scope, repository=Full())
    release(remembering, "2")
    bare = Lineage(scope.store, scope.app, "production", NoRepository())
    assert told(check_known(bare.notes("2", "1"))) == "1 to 2"
    with pytest.raises(UnknownVersion, match="does not have both commits"):
        check_known(bare.notes("3", "2"))
