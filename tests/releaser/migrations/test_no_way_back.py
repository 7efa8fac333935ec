"""Code does not come back to a database that it may not live with, unless somebody says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.errors import Incompatible, RolledBack
from castoff.releaser.job import Kind, Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history
from castoff.store.errors import ExitCode
from support.engine import RESTART, check, go, live
from support.migrating_scope import DROPS, STUCK, migrate_step, rows, scope_with, shop

EXPAND = shop("0001", "0002")
VERSIONS = {
    "a": shop("0001"),
    "expands": EXPAND,
    "drops": shop("0001", "0002", notes=DROPS),
    "stuck": shop("0001", "0002", notes=STUCK),
}


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    db = tmp_path / "db"
    backup = check(f'echo "$CASTOFF_VERSION" >> "{db}/backups"', "backup", "keep")
    steps = [
        RESTART,
        backup,
        migrate_step(db),
        check(f'test "$CASTOFF_VERSION" != "$(cat {tmp_path}/sick 2>&1)"'),
    ]
    made = scope_with(tmp_path, steps, VERSIONS, hosts=2)
    go(made, "release", "a")
    return made


def wanting(scope: Scope, kind: Kind, version: str, **how: bool) -> None:
    job = replace(resolve(scope, kind, version), **how)  # type: ignore[arg-type]
    run(job, Timeline(Silent()))


def test_a_rollback_over_what_only_adds_goes_on(scope: Scope) -> None:
    go(scope, "release", "expands")
    go(scope, "rollback", "a")

    assert live(scope) == ["a", "a"]


@pytest.mark.parametrize("kind", ["rollback", "release", "activate"])
def test_older_code_is_refused_over_what_takes_away(scope: Scope, kind: Kind) -> None:
    go(scope, "release", "drops")
    with pytest.raises(Incompatible, match=r"shop\.0002: RemoveField item\.name") as refused:
        go(scope, kind, "a")

    assert live(scope) == ["drops", "drops"]
    assert refused.value.exit_code == ExitCode.INCOMPATIBLE
    for way in ("--migrate-down", "--to-backup", "--allow-incompatible"):
        assert way in refused.value.hint


def test_whoever_allows_it_is_on_record(scope: Scope) -> None:
    go(scope, "release", "drops")
    wanting(scope, "rollback", "a", allow_incompatible=True)

    assert live(scope) == ["a", "a"]
    entry = history.find(scope.store, scope.app, scope.environment_name, None)
    assert entry.allowed == ("shop.0002",)


def test_migrations_are_taken_back_by_the_code_that_knows_them(
    scope: Scope, tmp_path: Path
) -> None:
    go(scope, "release", "drops")
    wanting(scope, "rollback", "a", migrate_down=True)

    assert live(scope) == ["a", "a"]
    assert rows(tmp_path / "db", "downs") == ["drops to a"]
    assert (tmp_path / "db" / "backups").read_text().split()[-1] == "a", "data is backed up before"
    entry = history.find(scope.store, scope.app, scope.environment_name, None)
    assert entry.taken_back == ("shop.0002",)

    go(scope, "release", "drops")
    assert len(rows(tmp_path / "db", "runs")) == 3, "and is run anew for the version after that"


def test_what_cannot_be_taken_back_is_refused_before_anything(scope: Scope, tmp_path: Path) -> None:
    go(scope, "release", "stuck")
    with pytest.raises(Incompatible, match=r"shop\.0002: RunPython"):
        wanting(scope, "rollback", "a", migrate_down=True)

    assert live(scope) == ["stuck", "stuck"]
    assert rows(tmp_path / "db", "downs") == []


def test_a_failed_release_says_what_the_old_code_has_to_live_with(
    scope: Scope, tmp_path: Path
) -> None:
    (tmp_path / "sick").write_text("drops")
    with pytest.raises(RolledBack) as failed:
        go(scope, "release", "drops")
    assert "shop.0002: RemoveField item.name" in failed.value.hint
    assert "castoff rollback a --env production --migrate-down" in failed.value.hint

    (tmp_path / "sick").unlink()
    wanting(scope, "rollback", "a", migrate_down=True)
    assert rows(tmp_path / "db", "downs") == ["drops to a"]


def test_a_rollback_that_fails_after_taking_back_says_how_to_mend_it(
    scope: Scope, tmp_path: Path
) -> None:
    go(scope, "release", "drops")
    (tmp_path / "sick").write_text("a")
    with pytest.raises(RolledBack) as failed:
        wanting(scope, "rollback", "a", migrate_down=True)
    assert "castoff release drops --env production runs them again" in failed.value.hint

    (tmp_path / "sick").unlink()
    go(scope, "release", "drops")
    assert live(scope) == ["drops", "drops"]
    assert len(rows(tmp_path / "db", "runs")) == 3


def test_one_version_further_back_counts_all_that_was_run_since(scope: Scope) -> None:
    go(scope, "release", "drops")
    wanting(scope, "rollback", "expands", allow_incompatible=True)
    with pytest.raises(Incompatible, match=r"shop\.0002"):
        go(scope, "rollback", "a")


def test_a_way_back_without_a_step_is_refused(tmp_path: Path) -> None:
    step = migrate_step(tmp_path / "db")
    del step["migrate"]["down"]
    scope = scope_with(tmp_path, [RESTART, step], VERSIONS, hosts=1)
    go(scope, "release", "a")
    go(scope, "release", "drops")
    with pytest.raises(Exception, match="has no step that takes back migrations of django"):
        wanting(scope, "rollback", "a", migrate_down=True)
    assert live(scope) == ["drops"]
