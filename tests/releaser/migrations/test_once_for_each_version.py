"""A version's migrations run to their good end once, whatever dies in between."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser import resume as resumed
from castoff.releaser.errors import NotActivated, RolledBack
from castoff.releaser.job import Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import keys, migration_log
from castoff.store.errors import Locked, StoreError
from support.engine import RESTART, check, faulty, go, live
from support.memory_fleet import ControllerDied, Fault
from support.migrating_scope import migrate_step, rows, scope_with, shop

VERSIONS = {"a": shop("0001"), "b": shop("0001", "0002")}


def made(folder: Path, *more: dict[str, object], asks: bool = False, hosts: int = 2) -> Scope:
    steps = [RESTART, migrate_step(folder / "db", asks=asks), *more]
    return scope_with(folder, steps, VERSIONS, hosts=hosts, limits={"lease": 1.0, "reconnect": 1.0})


def states(scope: Scope) -> list[str]:
    log, _ = migration_log.read(scope.store, scope.app, scope.environment_name)
    return [f"{entry.version} {entry.state} on {entry.leader}" for entry in log.entries]


def test_one_of_many_hosts_runs_it_once(tmp_path: Path) -> None:
    scope = made(tmp_path, hosts=4)
    go(scope, "release", "a")

    assert rows(tmp_path / "db", "runs") == ["web1"]
    assert states(scope) == ["a ended on web1"]


@pytest.mark.parametrize("asks", [False, True])
def test_a_version_that_failed_after_it_does_not_run_it_again(tmp_path: Path, asks: bool) -> None:
    scope = made(
        tmp_path, check(f'test "$CASTOFF_VERSION" != "$(cat {tmp_path}/sick 2>&1)"'), asks=asks
    )
    go(scope, "release", "a")
    (tmp_path / "sick").write_text("b")
    with pytest.raises(RolledBack):
        go(scope, "release", "b")
    (tmp_path / "sick").unlink()
    go(scope, "release", "b")

    assert live(scope) == ["b", "b"]
    assert rows(tmp_path / "db", "runs") == ["web1", "web1"], "once for a, once for b"


def test_data_that_was_replaced_by_hand_is_migrated_where_it_can_be_asked(tmp_path: Path) -> None:
    scope = made(tmp_path, asks=True)
    go(scope, "release", "a")
    go(scope, "release", "b")
    go(scope, "rollback", "a")
    (tmp_path / "db" / "base.sqlite3").unlink()
    go(scope, "release", "b")

    assert rows(tmp_path / "db", "runs") == ["web1"]


def test_what_failed_runs_again(tmp_path: Path) -> None:
    scope = made(tmp_path)
    (tmp_path / "db" / "broken").touch()
    with pytest.raises(NotActivated):
        go(scope, "release", "a")
    assert states(scope) == ["a failed on web1"]
    (tmp_path / "db" / "broken").unlink()
    go(scope, "release", "a")

    assert states(scope) == ["a ended on web1"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("again", ["resume", "release"])
def test_a_controller_that_dies_around_it_leaves_one_run(
    tmp_path: Path, before: bool, again: str
) -> None:
    scope = made(tmp_path)
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "a", Fault("web1", "built_in", before=before, dies=True))
    assert states(scope) == ["a begun on web1"]
    if again == "resume":
        resumed.resume(scope, Timeline(Silent()))
    else:
        go(scope, "release", "a")

    assert live(scope) == ["a", "a"]
    assert rows(tmp_path / "db", "runs") == ["web1"]


@pytest.mark.parametrize("before", [True, False])
def test_a_host_that_is_lost_around_it_leaves_one_run(tmp_path: Path, before: bool) -> None:
    scope = made(tmp_path)
    with pytest.raises(NotActivated):
        faulty(scope, "release", "a", Fault("web1", "built_in", before=before, dies=False))
    assert states(scope) == ["a begun on web1"]
    go(scope, "release", "a")

    assert rows(tmp_path / "db", "runs") == ["web1"]


@pytest.mark.parametrize(
    ("host", "op", "before"),
    [
        pytest.param(*("web1", "prepare", False), marks=pytest.mark.sweep),
        pytest.param(*("web1", "load", True), marks=pytest.mark.sweep),
        ("web1", "load", False),
        pytest.param(*("web1", "activate", True), marks=pytest.mark.sweep),
        ("web2", "activate", False),
        pytest.param(*("web2", "confirm", True), marks=pytest.mark.sweep),
    ],
)
def test_a_controller_that_dies_anywhere_leaves_one_run(
    tmp_path: Path, host: str, op: str, before: bool
) -> None:
    scope = made(tmp_path)
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "a", Fault(host, op, before=before, dies=True))
    resumed.resume(scope, Timeline(Silent()))

    assert live(scope) == ["a", "a"]
    assert rows(tmp_path / "db", "runs") == ["web1"]


def test_a_store_that_fails_between_the_end_and_the_note_leaves_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = made(tmp_path)
    key = keys.migrations(scope.app, scope.environment_name)
    replace_one = type(scope.store).replace

    def refuse(store: object, where: str, data: bytes, *, etag: str) -> str:
        if where == key:
            raise StoreError("the store is away")
        return replace_one(store, where, data, etag=etag)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(type(scope.store), "replace", refuse)
        with pytest.raises(StoreError):
            go(scope, "release", "a")
    assert states(scope) == ["a begun on web1"]
    go(scope, "release", "a")

    assert rows(tmp_path / "db", "runs") == ["web1"]


def test_another_leader_waits_for_what_may_still_run_on_the_first(tmp_path: Path) -> None:
    scope = made(tmp_path)
    with pytest.raises(ControllerDied):
        faulty(scope, "release", "a", Fault("web1", "built_in", before=False, dies=True))
    others = replace(scope, hosts=scope.hosts[1:])
    with pytest.raises(NotActivated, match="was begun on web1"):
        go(others, "release", "a")

    log, etag = migration_log.read(scope.store, scope.app, scope.environment_name)
    late = log.entries[0].model_copy(update={"until": time.time() - 1})
    where = (scope.store, scope.app, scope.environment_name)
    migration_log.write(*where, log.having(late), etag=etag)
    go(others, "release", "a")
    assert rows(tmp_path / "db", "runs") == ["web1", "web2"], "nobody is left who knows"


def test_two_controllers_that_race_leave_one_run(tmp_path: Path) -> None:
    scope = made(tmp_path)
    refused: list[Exception] = []

    def release() -> None:
        try:
            run(resolve(scope, "release", "a"), Timeline(Silent()))
        except Exception as error:  # noqa: BLE001 (whichever loses)
            refused.append(error)

    threads = [threading.Thread(target=release) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rows(tmp_path / "db", "runs") == ["web1"]
    # One that came when the first had ended found that nothing was left to do.
    assert all(isinstance(error, Locked) for error in refused)
