"""A run whose controller dies around a real Django migration on PostgreSQL: still one run of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.releaser.resume import resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import migration_log
from castoff.store.artifacts import push
from support.engine import RESTART, faulty, go, live
from support.local_scope import APP, make_scope
from support.memory_fleet import ControllerDied, Fault
from support.migrating_postgresql import DJANGO, DJANGO_MORE, files_of, gated
from support.postgres import Postgres
from support.written_artifact import write_artifact


@pytest.mark.parametrize("before", [False, pytest.param(True, marks=pytest.mark.sweep)])
def test_a_version_migrates_once_though_its_controller_died(
    tmp_path: Path, postgres: Postgres, before: bool
) -> None:
    env = postgres.fresh()
    database = env["PGDATABASE"]
    gated(postgres, env)
    step = {"name": "migrate", "moment": "once", "migrate": {"preset": "django"}}
    scope = make_scope(tmp_path, [RESTART, step], hosts=2, env=env, limits={"lease": 1.0})
    for version, project in (("a", DJANGO), ("b", {**DJANGO, **DJANGO_MORE})):
        push(scope.store, write_artifact(tmp_path / "more", APP, version, files_of(project)))

    with pytest.raises(ControllerDied):
        faulty(scope, "release", "a", Fault("web1", "built_in", before=before, dies=True))
    resume(scope, Timeline(Silent()))
    assert live(scope) == ["a", "a"]
    go(scope, "release", "b")
    # A migration that ran twice would have failed: its table is there already.
    assert postgres.sql("SELECT what FROM runs ORDER BY what", database).split() == ["1", "2"]
    log, _ = migration_log.read(scope.store, scope.app, scope.environment_name)
    assert [f"{one.version} {one.state}" for one in log.entries] == ["a ended", "b ended"]
