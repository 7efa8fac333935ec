"""A run that lost its lease leaves to a later run what is that one's, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.config.model import Config
from castoff.releaser import phases
from castoff.releaser.errors import Mixed, TakenOver
from castoff.releaser.job import Job, Scope
from castoff.releaser.machine import Phase
from castoff.releaser.operations.prune_hosts import prune_hosts
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import abort
from castoff.releaser.site import SiteFailed, publish
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import keys, lease_document, swapped
from castoff.store.artifacts import push
from castoff.store.errors import Locked, StoreError
from support.engine import RESTART, check, go, live, on_channel, outcomes
from support.local_scope import APP, make_scope
from support.unwritable import Unwritable
from support.written_artifact import write_public

# On a slow machine nothing is to be given up, nor a lease to be renewed at an odd moment.
PATIENT = {"connect": 100, "answer": 100, "lease": 3600}


def let_the_lease_end(scope: Scope) -> None:
    """Do what time does to the lease of a controller that sleeps."""
    key = keys.lease(scope.app, scope.environment_name)
    seen = lease_document.read(scope.store, key)
    assert seen is not None
    ended = seen[0].model_copy(update={"released": True})
    swapped.write(scope.store, key, ended, etag=seen[1])


class Meanwhile(Silent):
    """A watch that has something happen once, when a host was restarted."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act
        self._lock = threading.Lock()

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        del host, seconds, error
        with self._lock:
            act, self._act = (self._act, None) if step == "restart" else (None, self._act)
            if act is not None:
                act()


def test_hosts_that_were_but_pruned_meanwhile_are_still_to_be_brought_back(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [RESTART, check("true")], hosts=2, limits=PATIENT)
    go(scope, "release", "1")

    def prune() -> None:
        let_the_lease_end(scope)
        until = time.monotonic() + 100
        # The agents of the run have to leave first.
        while prune_hosts(scope, keep=9).failure is not None:
            assert time.monotonic() < until
            time.sleep(0.1)

    with pytest.raises(Mixed, match="this run had lost the lock") as caught:
        run(resolve(scope, "release", "2"), Timeline(Meanwhile(prune)))
    assert "castoff abort --env production" in caught.value.hint
    assert live(scope) == ["2", "2"]
    assert outcomes(scope)[-1] == "release 2 mixed"
    abort(scope, Timeline(Silent()))
    assert live(scope) == ["1", "1"]


def test_what_is_healthy_when_a_later_run_has_its_hosts_is_not_said_to_be_live(
    tmp_path: Path,
) -> None:
    scope = make_scope(tmp_path, [RESTART], hosts=1, limits=PATIENT)
    go(scope, "release", "1")

    def release() -> None:
        let_the_lease_end(scope)
        go(scope, "release", "3")

    with pytest.raises(TakenOver, match=r"2 was live and healthy .* a later run") as caught:
        run(resolve(scope, "release", "2"), Timeline(Meanwhile(release)))
    assert caught.value.exit_code == Locked.exit_code
    assert "resume" not in caught.value.hint
    assert live(scope) == ["3"]
    assert outcomes(scope)[-1] == "release 3 released"


def with_a_site(folder: Path) -> tuple[Scope, Path]:
    scope = make_scope(folder, [RESTART], hosts=1)
    config = Config.model_validate(
        {
            "apps": {APP: {}},
            "environments": {"site": {"site": {"store": "file://www"}, "limits": PATIENT}},
        }
    )
    environment = config.environments["site"]
    for version in ("11", "12", "13"):
        page = {"index.html": f"<p>{version}".encode()}
        push(scope.store, write_public(folder / "public", APP, version, {}, unhashed=page))
    site = replace(scope, environment_name="site", environment=environment, hosts=(), base=folder)
    return site, folder / "www/index.html"


class Failing(Silent):
    """A watch that lets a store fail once the last phase before the flip has begun."""

    def __init__(self, store: Unwritable) -> None:
        self._store = store

    def phase(self, name: str) -> None:
        self._store.broken |= name == Phase.MIGRATE.value


def test_a_site_that_was_not_published_is_not_brought_back(tmp_path: Path) -> None:
    scope, page = with_a_site(tmp_path)
    go(scope, "release", "11")
    store = Unwritable(scope.store, keys.run(scope.app, scope.environment_name))
    store.broken = False
    job = resolve(replace(scope, store=store), "release", "12")
    with pytest.raises(StoreError, match="503 SlowDown"):
        run(job, Timeline(Failing(store)))
    assert page.read_text() == "<p>11"
    assert outcomes(scope)[-1] == "release 12 failed"


def test_what_a_later_run_has_published_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope, page = with_a_site(tmp_path)
    go(scope, "release", "11")

    def slept(job: Job, *, old: str | None) -> None:
        publish(job, old=old)
        if job.version == "12":
            let_the_lease_end(scope)
            go(scope, "release", "13")
            raise SiteFailed("the public sees something else")

    monkeypatch.setattr(phases, "publish", slept)
    with pytest.raises(TakenOver, match="a later run has taken over the site") as caught:
        go(scope, "release", "12")
    assert caught.value.exit_code == Locked.exit_code
    assert page.read_text() == "<p>13"
    assert on_channel(scope) == "13"
