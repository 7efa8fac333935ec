"""Old releases leave hosts on request, and what anybody still wants stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.job import Scope
from castoff.releaser.operations.prune_hosts import look_at_prunable, prune_hosts
from castoff.releaser.record import previous_good
from castoff.store import history, lease, pins
from castoff.store.deed import Deed
from castoff.store.errors import ExitCode, Locked
from support.engine import go
from support.local_scope import make_scope
from support.memory_fleet import Fault, MemoryFleet


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    """Return two hosts that serve 3 and have 1 and 2."""
    scope = make_scope(tmp_path, [], hosts=2)
    for version in ("1", "2", "3"):
        go(scope, "release", version)
    return scope


def there(scope: Scope) -> list[list[str]]:
    roots = [Path(host.root) / "releases" for host in scope.hosts]
    return [sorted(path.name for path in root.iterdir()) for root in roots]


def test_what_would_go_is_told_and_then_goes_and_the_history_has_it(scope: Scope) -> None:
    looked = look_at_prunable(scope, keep=1)
    assert looked.failure is None
    assert there(scope) == [["1", "2", "3"]] * 2

    done = prune_hosts(scope, keep=1)

    assert done.hosts == looked.hosts
    assert done.failure is None
    assert there(scope) == [["2", "3"]] * 2
    assert done.hosts[0].removed == ("1",)
    assert done.hosts[0].kept == {"3": "current", "2": "the good one before"}
    assert done.hosts[0].freed > 0
    newest = history.everything(scope.store, scope.app, scope.environment_name)[0]
    assert isinstance(newest, Deed)
    assert (newest.kind, newest.who) == ("prune", "somebody@here")
    assert [(row.name, row.removed) for row in newest.hosts] == [("web1", ("1",)), ("web2", ("1",))]


def test_doing_nothing_is_not_noted(scope: Scope) -> None:
    before = len(history.everything(scope.store, scope.app, scope.environment_name))
    prune_hosts(scope, keep=3)
    assert len(history.everything(scope.store, scope.app, scope.environment_name)) == before


def test_a_pinned_version_stays_now_and_after_releases_until_it_is_let_go(scope: Scope) -> None:
    pins.pin(scope.store, scope.app, scope.environment_name, "1", owner="a", reason="")
    done = prune_hosts(scope, keep=1)
    assert done.hosts[0].kept is not None
    assert done.hosts[0].kept["1"] == "pinned"
    few = replace(scope, environment=scope.environment.model_copy(update={"keep": 2}))
    go(few, "release", "2")
    assert there(scope) == [["1", "2", "3"]] * 2
    pins.unpin(scope.store, scope.app, scope.environment_name, "1", owner="a")
    go(few, "release", "3")
    assert there(scope) == [["2", "3"]] * 2


def test_what_the_environment_would_go_back_to_stays_on_a_host_that_never_served_it(
    scope: Scope,
) -> None:
    # By the history a rollback from 3 goes to 2; on this host alone 1 was put live since.
    go(replace(scope, hosts=scope.hosts[:1], partial="only web1"), "release", "1")
    prune_hosts(scope, keep=1)
    assert there(scope)[0] == ["1", "2", "3"]


def test_deeds_do_not_confuse_where_a_rollback_goes(scope: Scope) -> None:
    assert previous_good(scope) == "2"
    pins.pin(scope.store, scope.app, scope.environment_name, "3", owner="a", reason="")
    pins.pin(scope.store, scope.app, scope.environment_name, "1", owner="a", reason="")
    prune_hosts(scope, keep=1)
    assert previous_good(scope) == "2"
    go(scope, "rollback", "2")
    assert previous_good(scope) == "1"


def test_nobody_prunes_while_somebody_is_at_work(scope: Scope) -> None:
    held = lease.held(
        scope.store, scope.app, scope.environment_name, owner="ann@desk", reason="release 4"
    )
    with held, pytest.raises(Locked, match="ann@desk"):
        prune_hosts(scope, keep=1)
    assert there(scope) == [["1", "2", "3"]] * 2


def test_a_host_that_cannot_be_reached_does_not_keep_the_others(scope: Scope) -> None:
    fleet = MemoryFleet(fault=Fault(host="web1", op="connect", before=True, dies=False))
    done = prune_hosts(scope, keep=1, connect=fleet.connect)
    fleet.hang_up()
    assert done.failure is not None
    assert done.failure.exit_code == ExitCode.UNREACHABLE
    assert done.hosts[0].trouble == "no route"
    assert there(scope) == [["1", "2", "3"], ["2", "3"]]
