"""A run that lost its lease leaves to a later run what is that one's, and nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from castoff.releaser.errors import Mixed
from castoff.releaser.job import Scope
from castoff.releaser.operations.prune_hosts import prune_hosts
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import abort
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import keys, lease_document, swapped
from support.engine import RESTART, check, go, live, outcomes
from support.local_scope import make_scope


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
    scope = make_scope(tmp_path, [RESTART, check("true")], hosts=2)
    go(scope, "release", "1")

    def prune() -> None:
        let_the_lease_end(scope)
        until = time.monotonic() + 60
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
