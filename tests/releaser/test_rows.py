"""The history keeps what each step printed, in which phase, and the moments of each host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import RolledBack
from castoff.releaser.job import Scope
from castoff.releaser.release import resolve, run
from castoff.releaser.rows import MOST_BYTES_OF_A_RUN, host_rows
from castoff.releaser.tail import MOST_BYTES
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history
from support.local_scope import make_scope

MIGRATE = {
    "name": "migrate",
    "moment": "once",
    "command": "echo Applying 0002; echo done >&2",
}
SPEAK = {"name": "restart", "moment": "activate", "command": "echo started $CASTOFF_VERSION"}


def two_hosts(folder: Path, *steps: dict[str, Any]) -> Scope:
    """Return a scope of web1, which has the database, and web2."""
    scope = make_scope(folder, list(steps), hosts=2)
    first, second = scope.hosts
    return replace(
        scope, hosts=(replace(first, roles=("web", "db")), replace(second, roles=("web",)))
    )


def test_a_release_leaves_phases_outputs_roles_and_moments(tmp_path: Path) -> None:
    scope = two_hosts(tmp_path, MIGRATE, SPEAK)
    timeline = Timeline(Silent())
    run(resolve(scope, "release", "1"), timeline)
    entry = history.find(scope.store, scope.app, scope.environment_name, 1)

    first, second = entry.hosts
    assert [(step.name, step.phase) for step in first.steps] == [
        ("connect", "preflight"),
        ("prepare", "prepare"),
        ("migrate", "migrate"),
        ("flip", "activate"),
        ("restart", "restart"),
    ]
    assert {step.name: step.output for step in first.steps if step.output} == {
        "migrate": ("Applying 0002", "done"),
        "restart": ("started 1",),
    }
    assert (first.roles, second.roles) == (("web", "db"), ("web",))
    assert "migrate" not in [step.name for step in second.steps]
    for host in entry.hosts:
        assert host.flipped is not None
        assert host.healthy is not None
        assert entry.started < host.flipped < host.healthy < entry.ended
    assert entry.skew_seconds == timeline.skew


def test_steps_on_the_way_back_are_told_apart(tmp_path: Path) -> None:
    breaks = {
        "name": "health",
        "moment": "after_activate",
        "command": "echo $CASTOFF_VERSION says no; test $CASTOFF_VERSION = 1",
    }
    scope = two_hosts(tmp_path, breaks)
    run(resolve(scope, "release", "1"), Timeline(Silent()))
    with pytest.raises(RolledBack):
        run(resolve(scope, "release", "2"), Timeline(Silent()))
    entry = history.find(scope.store, scope.app, scope.environment_name, None)
    health = [step for step in entry.hosts[0].steps if step.name == "health"]
    assert [(step.phase, step.ok, step.output) for step in health] == [
        ("restart", False, ("2 says no",)),
        ("go back", True, ("1 says no",)),
    ]
    assert entry.hosts[0].healthy is None


def test_what_many_steps_print_together_is_bounded(tmp_path: Path) -> None:
    scope = two_hosts(tmp_path)
    timeline = Timeline(Silent())
    steps = 200
    for number in range(steps):
        with timeline.step("web1", f"step {number}"):
            for _ in range(300):
                timeline.watch.output("web1", f"step {number}", "x" * 159)
    first, second = host_rows(timeline, scope.hosts)
    sizes = [sum(len(line) + 1 for line in step.output) for step in first.steps]
    assert second.steps == ()
    assert sum(sizes) <= MOST_BYTES_OF_A_RUN
    assert min(sizes) > MOST_BYTES_OF_A_RUN // steps * 0.9
    assert max(sizes) < MOST_BYTES
    assert all(step.left_out + len(step.output) == 300 for step in first.steps)
