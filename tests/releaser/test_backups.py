"""Back-ups as the controller has them made, lists, keeps and restores them."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.backups.in_rollback import chosen
from castoff.releaser.backups.known import look_up, survey
from castoff.releaser.backups.now import back_up_now
from castoff.releaser.backups.restore import Restored, restore_now, restoring
from castoff.releaser.errors import BackupFailed, HostError, NotActivated, RolledBack
from castoff.releaser.job import Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import backups, freeze, history, keys, lease
from castoff.store.errors import CorruptArtifact, ExitCode, Locked, StoreError, UsageError
from support.backed_up import back_up_step, database, names, write
from support.local_scope import make_scope


def heard(_host: str, _line: str) -> None:
    return None


def release(scope: Scope, version: str, kind: Any = "release") -> None:
    run(resolve(scope, kind, version), Timeline(Silent()))


def bring_back(scope: Scope, identifier: str, identity: Path | None = None) -> Restored:
    return restore_now(scope, restoring(scope, look_up(scope, identifier), identity), heard)


@pytest.fixture(params=["host", "store"])
def scope(request: pytest.FixtureRequest, tmp_path: Path) -> Scope:
    made = make_scope(tmp_path, [back_up_step(backup={"to": request.param, "keep": 2})], hosts=2)
    write(tmp_path, "tea")
    release(made, "1")
    return made


def test_each_release_backs_up_and_what_came_after_is_told_by_versions(
    scope: Scope, tmp_path: Path
) -> None:
    release(scope, "2")
    place = "store" if scope.environment.steps[0].backup.to == "store" else "web1"  # type: ignore[union-attr]
    found = survey(scope).found
    assert [(one.backup.version, one.backup.coming, one.place) for one in found] == [
        (None, "1", place),
        ("1", "2", place),
    ]
    assert {one.backup.host for one in found} == {"web1"}
    kept = list((tmp_path / "hosts" / "web1").glob("backups/*"))
    stored = list(scope.store.entries(keys.backups("pages", "production")))
    assert (len(kept), len(stored)) == ((0, 4) if place == "store" else (4, 0))


def test_one_is_made_now_listed_restored_and_noted(scope: Scope, tmp_path: Path) -> None:
    lines: list[str] = []
    (made,) = back_up_now(scope, "db", lambda _, line: lines.append(line))
    assert any(made.id in line for line in lines)
    write(tmp_path, "coffee")
    done = bring_back(scope, made.id)
    assert names(tmp_path) == ["tea"]
    undone = tmp_path / "hosts" / "web1" / "shared" / done.kept
    assert str(undone) in done.undo
    deeds = history.everything(scope.store, "pages", "production", limit=2)
    assert [deed.kind for deed in deeds] == ["restore", "backup"]
    assert made.id in deeds[0].reason  # type: ignore[union-attr]
    assert done.kept in deeds[0].reason  # type: ignore[union-attr]


def test_old_ones_go_the_newest_stay(scope: Scope) -> None:
    made = [back_up_now(scope, None, heard)[0].id for _ in range(3)]
    assert [one.backup.id for one in survey(scope).found] == made[1:]


def test_a_damaged_one_is_refused_before_anything_is_touched(scope: Scope, tmp_path: Path) -> None:
    (made,) = back_up_now(scope, None, heard)
    write(tmp_path, "coffee")
    (data,) = tmp_path.rglob(made.file)
    data.chmod(0o600)
    content = bytearray(data.read_bytes())
    content[-9] ^= 1
    data.write_bytes(content)
    with pytest.raises((CorruptArtifact, BackupFailed)) as caught:
        bring_back(scope, made.id)
    assert caught.value.exit_code is ExitCode.CORRUPT
    assert names(tmp_path) == ["tea", "coffee"]
    assert not list(database(tmp_path).parent.glob("shop.db.*"))


def test_nothing_is_restored_while_somebody_is_at_work_or_after_a_freeze(scope: Scope) -> None:
    (made,) = back_up_now(scope, None, heard)
    where = (scope.store, "pages", "production")
    with lease.held(*where, owner="ann@desk", reason="release 2"):
        for action in (lambda: bring_back(scope, made.id), lambda: back_up_now(scope, None, heard)):
            with pytest.raises(Locked, match="ann@desk"):
                action()
    freeze.put(*where, owner="ann@desk", reason="stocktaking", frozen=True)
    with pytest.raises(Locked, match="stocktaking"):
        bring_back(scope, made.id)
    back_up_now(scope, None, heard)


def test_a_back_up_that_fails_stops_the_release_before_anything_is_flipped(
    scope: Scope, tmp_path: Path
) -> None:
    database(tmp_path).write_bytes(b"no database at all" * 99)
    with pytest.raises(NotActivated, match="'db' failed"):
        release(scope, "2")
    with pytest.raises(BackupFailed) as caught:
        back_up_now(scope, None, heard)
    assert caught.value.exit_code is ExitCode.BACKUP
    assert len(survey(scope).found) == 1


def test_what_failed_after_its_migration_is_restored_to_the_same_rows(tmp_path: Path) -> None:
    change = "ALTER TABLE goods ADD price; UPDATE goods SET price = 1, name = upper(name)"
    open_it = "sqlite3.connect(os.environ['CASTOFF_SHARED'] + '/shop.db')"
    program = f"import os, sqlite3; {open_it}.executescript('{change}')"
    migrate = {"command": f'test $CASTOFF_VERSION = 1 || python3 -c "{program}"'}
    steps = [
        back_up_step(),
        {"name": "migrate", "moment": "once", "migrate": migrate},
        {"name": "health", "moment": "after_activate", "command": "test $CASTOFF_VERSION = 1"},
    ]
    scope = make_scope(tmp_path, steps, hosts=1)
    write(tmp_path, "tea", "coffee")
    release(scope, "1")
    before = dump(tmp_path)

    with pytest.raises(RolledBack):
        release(scope, "2")
    assert names(tmp_path) == ["TEA", "COFFEE"]
    (made,) = (one.backup for one in survey(scope).found if one.backup.coming == "2")
    bring_back(scope, made.id)
    assert dump(tmp_path) == before


def dump(folder: Path) -> list[str]:
    with closing(sqlite3.connect(database(folder))) as connection:
        return list(connection.iterdump())


def test_a_damaged_description_hides_no_other_back_up(scope: Scope, tmp_path: Path) -> None:
    made = [back_up_now(scope, None, heard)[0].id for _ in range(2)]
    if scope.environment.steps[0].backup.to == "store":  # type: ignore[union-attr]
        key = f"{keys.backups('pages', 'production')}{made[0]}.json"
        scope.store.delete(key)
        scope.store.create(key, b"{}")
    else:
        described = tmp_path / "hosts" / "web1" / "backups" / f"{made[0]}.json"
        described.write_text(described.read_text()[:-20])
    known = survey(scope)
    assert [one.backup.id for one in known.found] == made[1:]
    (damaged,) = known.damaged
    assert made[0] in damaged.message
    assert look_up(scope, made[1]).backup.id == made[1]
    with pytest.raises((CorruptArtifact, HostError)):
        look_up(scope, made[0])
    # The one that cannot be read may be the newest, so that nobody but a person can choose.
    with pytest.raises(UsageError, match="which back-up is the latest cannot be told"):
        chosen(scope, "1", ["latest"], None)
    assert [one.identifier for one in chosen(scope, "1", [made[1]], None)] == [made[1]]


def test_a_back_up_counts_though_older_ones_could_not_be_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_scope(tmp_path, [back_up_step(backup={"to": "store"})], hosts=1)
    write(tmp_path, "tea")
    release(made, "1")

    def refuses(*_: object) -> None:
        raise StoreError("403 AccessDenied")

    monkeypatch.setattr(backups, "tidy", lambda *_, **__: refuses())
    lines: list[str] = []
    (one,) = back_up_now(made, None, lambda _, line: lines.append(line))
    assert lines[-1] == "older back-ups stay for now: 403 AccessDenied"
    assert look_up(made, one.id).place == "store"


def test_what_is_not_there_is_told(scope: Scope, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no back-up 'nothing'"):
        look_up(scope, "nothing")
    with pytest.raises(UsageError, match="no back-up step 'other'"):
        back_up_now(scope, "other", heard)
    with pytest.raises(UsageError, match="no step that makes a back-up"):
        survey(make_scope(tmp_path / "bare", [], hosts=1))


def test_an_encrypted_one_is_read_by_who_has_the_identity(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    recipient = key.read_text().split("public key: ")[1].splitlines()[0]
    backup = {"recipients": (recipient,), "to": "store"}
    scope = make_scope(tmp_path, [back_up_step(backup=backup)], hosts=1)
    write(tmp_path, "tea")
    release(scope, "1")
    (one,) = survey(scope).found
    with pytest.raises(UsageError, match="encrypted by age"):
        restoring(scope, one, None)
    write(tmp_path, "coffee")
    bring_back(scope, one.backup.id, key)
    assert names(tmp_path) == ["tea"]
    secret = key.read_text().splitlines()[-1].encode()
    holders = [p for p in tmp_path.rglob("*") if p.is_file() and secret in p.read_bytes()]
    assert holders == [key]


def test_a_step_that_castoff_toml_has_no_more_is_named(scope: Scope, tmp_path: Path) -> None:
    (one, *_) = survey(scope).found
    other = make_scope(tmp_path, [back_up_step(name="media")], hosts=2)
    with pytest.raises(UsageError, match="no back-up step 'db'"):
        restoring(replace(other, store=scope.store), one, None)
