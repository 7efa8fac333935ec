"""The run's document among controllers of which one has the lease and another had it."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.releaser.machine import Phase, Position
from castoff.releaser.release import resolve
from castoff.releaser.run_log import RunLog
from castoff.store import run_document
from castoff.store.errors import Conflict
from support.local_scope import make_scope


def test_a_late_write_takes_nothing_from_the_one_who_has_the_lease(tmp_path: Path) -> None:
    scope = make_scope(tmp_path, [])
    late = RunLog(resolve(scope, "release", "1"), token=1, from_version=None, started=1.0)
    later = RunLog(resolve(scope, "release", "2"), token=2, from_version=None, started=2.0)

    late.enter(Position(Phase.FLIP))
    later.enter(Position(Phase.PREFLIGHT))
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    assert seen is not None
    assert (seen[0].token, seen[0].version, seen[0].phase) == (2, "2", "preflight")
    assert seen[0].flipped, "what the late one may have flipped is not forgotten"

    with pytest.raises(Conflict):
        late.enter(Position(Phase.CHECK))
    with pytest.raises(Conflict):
        late.check()
    later.check()
