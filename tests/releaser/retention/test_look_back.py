"""How far back good versions are found, behind however many runs that came to nothing."""

from __future__ import annotations

from pathlib import Path

from castoff.releaser.job import Scope
from castoff.releaser.record import previous_good
from castoff.releaser.retention.look_back import look_back
from castoff.releaser.retention.needed import Window, needed_versions
from castoff.store import history, keys
from support.engine import go
from support.local_scope import make_scope

FAILURES = 205


def bury(scope: Scope) -> None:
    """Put failed runs on top of the history, as many as are read at once and a few more."""
    place = (scope.store, scope.app, scope.environment_name)
    newest = history.entries(*place, limit=1)[0]
    failed = newest.model_copy(update={"version": "3", "from_version": "3", "outcome": "failed"})
    for number in range(newest.number + 1, newest.number + 1 + FAILURES):
        entry = failed.model_copy(update={"number": number})
        scope.store.create(keys.history(*place[1:], number), entry.to_bytes())


def test_a_rollback_finds_the_good_version_behind_any_number_of_failures(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [], hosts=1)
    go(scope, "release", "1")
    go(scope, "release", "2")
    bury(scope)
    assert previous_good(scope) == "1"
    go(scope, "rollback", "1")
    assert previous_good(scope) is None


def test_what_is_still_wanted_is_found_there_too(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [], hosts=1)
    for version in ("1", "2", "3"):
        go(scope, "release", version)
    bury(scope)
    newest = history.entries(scope.store, scope.app, scope.environment_name, limit=1)[0]
    window = Window(keep=3, since=newest.ended + 1)
    assert set(needed_versions(scope.store, scope.app, window, {})) == {"1", "2", "3"}
    window = Window(keep=1, since=0)
    assert set(needed_versions(scope.store, scope.app, window, {})) == {"1", "2", "3"}


def test_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [], hosts=1)
    go(scope, "release", "1")
    bury(scope)
    go(scope, "release", "2")
    place = (scope.store, scope.app, scope.environment_name)
    assert len(look_back(*place, good=1)) == 200
    assert len(look_back(*place, good=2)) == FAILURES + 2


def test_where_the_history_has_been_lost_the_channel_is_believed(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [], hosts=1)
    go(scope, "release", "1")
    go(scope, "release", "2")
    for number in (1, 2):
        scope.store.delete(keys.history(scope.app, scope.environment_name, number))
    assert previous_good(scope) == "1"
