"""Blue-green on local hosts: an "instance" is a file that says which version was started in it.

`upstream` in shared/ stands for the web server: it names the colour that requests go to.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.config.model import Strategy
from castoff.releaser.errors import Mixed, NotActivated, RolledBack
from castoff.releaser.job import Scope
from castoff.releaser.release import look_ahead, resolve, run
from castoff.releaser.resume import abort, resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from support.blue_green import STEPS, instances, serves
from support.engine import RESTART, check, go, live, log, outcomes
from support.local_scope import make_scope
from support.memory_fleet import ControllerDied, Fault, MemoryFleet

BLUE_GREEN: dict[str, Any] = {
    "kind": "blue-green",
    "blue": {"PORT": "8001"},
    "green": {"PORT": "8002"},
}


def scope_of(folder: Path, *more: dict[str, Any], hosts: int = 3, **strategy: Any) -> Scope:
    return make_scope(folder, [*STEPS, *more], hosts=hosts, strategy={**BLUE_GREEN, **strategy})


def starts(scope: Scope, host: int) -> list[str]:
    return [line for line in log(scope, host) if line.startswith("start")]


def test_each_release_starts_the_other_colour_and_then_all_hosts_switch(tmp_path: Path) -> None:
    scope = scope_of(tmp_path)
    timeline = go(scope, "release", "1")
    go(scope, "release", "2")
    assert live(scope) == ["2"] * 3
    for host in range(3):
        assert serves(scope, host) == "2"
        assert instances(scope, host) == {"blue": "1", "green": "2"}
        assert log(scope, host) == [
            "start 1 in blue at 8001, live: ",
            "switch to 1 in blue, live: blue",
            "start 2 in green at 8002, live: blue",
            "switch to 2 in green, live: green",
        ]
    healthy = [span.ended for span in timeline.spans if span.step == "is-up"]
    flips = [span.started for span in timeline.spans if span.step == "flip"]
    assert max(healthy) <= min(flips), "no host flips before all idle instances are healthy"


def test_a_rollback_to_what_the_idle_colour_still_runs_starts_nothing(tmp_path: Path) -> None:
    scope = scope_of(tmp_path)
    for version in ("1", "2"):
        go(scope, "release", version)
    go(scope, "rollback", "1")
    assert [serves(scope, host) for host in range(3)] == ["1"] * 3
    assert starts(scope, 0) == [
        "start 1 in blue at 8001, live: ",
        "start 2 in green at 8002, live: blue",
    ]


def test_a_rollback_starts_what_does_not_run_any_more(tmp_path: Path) -> None:
    scope = scope_of(tmp_path)
    for version in ("1", "2"):
        go(scope, "release", version)
    (Path(scope.hosts[1].root) / "shared" / "blue.version").unlink()
    go(scope, "rollback", "1")
    assert [serves(scope, host) for host in range(3)] == ["1"] * 3
    assert [len(starts(scope, host)) for host in range(3)] == [2, 3, 2]


def test_an_idle_instance_that_fails_changes_nothing_that_serves(tmp_path: Path) -> None:
    bad = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web22', moment="check_idle", name="smoke")
    scope = scope_of(tmp_path, bad)
    go(scope, "release", "1")
    with pytest.raises(NotActivated, match="web2") as caught:
        go(scope, "release", "2")
    assert caught.value.exit_code == 14
    assert live(scope) == ["1"] * 3
    assert [serves(scope, host) for host in range(3)] == ["1"] * 3
    assert not [line for line in log(scope, 0) if line.startswith("switch to 2")]
    assert outcomes(scope)[-1] == "release 2 failed"

    go(scope, "release", "3")
    assert instances(scope, 1) == {"blue": "1", "green": "3"}, "the idle colour is taken again"


def test_what_fails_after_the_switch_goes_back_without_a_start(tmp_path: Path) -> None:
    bad = check('test "$CASTOFF_HOST$CASTOFF_VERSION" != web32', name="smoke")
    scope = scope_of(tmp_path, bad)
    go(scope, "release", "1")
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert live(scope) == ["1"] * 3
    for host in range(3):
        assert serves(scope, host) == "1"
        assert len(starts(scope, host)) == 2
        assert log(scope, host)[-1] == "switch to 1 in blue, live: blue"


def test_a_way_back_to_an_instance_that_has_died_starts_it(tmp_path: Path) -> None:
    kill = check('rm -f "$CASTOFF_SHARED/blue.version" && test "$CASTOFF_VERSION" != 2')
    scope = scope_of(tmp_path)
    go(scope, "release", "1")
    with pytest.raises(RolledBack):
        go(scope_of(tmp_path, {**kill, "env": {}}), "release", "2")
    assert [serves(scope, host) for host in range(3)] == ["gone"] * 3
    # The check of this test kills the instance again, so the next release is without it.
    go(scope, "release", "1")
    assert [serves(scope, host) for host in range(3)] == ["1"] * 3


def test_a_host_whose_old_instance_cannot_be_started_again_is_mixed(tmp_path: Path) -> None:
    dies = check(
        'test "$CASTOFF_VERSION$CASTOFF_HOST" != 2web1 || { touch "$CASTOFF_SHARED/broken"'
        '; rm "$CASTOFF_SHARED/blue.version"; exit 1; }',
        name="dies",
    )
    scope = scope_of(tmp_path, dies)
    go(scope, "release", "1")
    with pytest.raises(Mixed, match="web1"):
        go(scope, "release", "2")
    assert live(scope) == ["1"] * 3


def test_a_no_at_the_gate_leaves_the_old_colour_serving(tmp_path: Path) -> None:
    scope = scope_of(tmp_path)
    go(scope, "release", "1")
    with pytest.raises(NotActivated, match="stopped at the gate"):
        go(scope_of(tmp_path, ask=True), "release", "2")
    assert [serves(scope, host) for host in range(3)] == ["1"] * 3
    assert instances(scope, 0)["green"] == "2"


@pytest.mark.parametrize(
    ("moment", "before", "mend"),
    [
        ("color", False, "resume"),
        ("ready", True, "release"),
        ("ready", False, "abort"),
        ("activate", True, "resume"),
        ("activate", False, "release"),
        ("activate", False, "abort"),
        ("confirm", True, "resume"),
        ("confirm", False, "resume, then release"),
    ],
)
def test_a_controller_that_dies_never_leads_to_a_start_of_what_serves(
    tmp_path: Path, moment: str, before: bool, mend: str
) -> None:
    fleet = MemoryFleet()
    scope = scope_of(tmp_path, hosts=2)
    go(scope, "release", "1")
    fleet.fault = Fault("web2", moment, before=before, dies=True)
    with pytest.raises(ControllerDied):
        run_on(fleet, scope, "2")
    fleet.fault = None
    fleet.hang_up()
    timeline = Timeline(Silent())
    wanted = "2"
    if mend.startswith("resume"):
        resume(scope, timeline)
    if mend.endswith("release"):
        go(scope, "release", "3")
        wanted = "3"
    if mend == "abort":
        abort(scope, timeline)
        wanted = "1"
    assert live(scope) == [wanted] * 2
    for host in range(2):
        assert serves(scope, host) == wanted


def run_on(fleet: MemoryFleet, scope: Scope, version: str) -> None:
    run(resolve(scope, "release", version), Timeline(Silent()), connect=fleet.connect)


def test_an_environment_may_change_to_blue_green_and_back(tmp_path: Path) -> None:
    switch = {**RESTART, "command": 'echo plain > "$CASTOFF_SHARED/upstream"'}
    plain = make_scope(tmp_path, [switch])
    go(plain, "release", "1")
    scope = scope_of(tmp_path)
    go(scope, "release", "2")
    assert [serves(scope, host) for host in range(3)] == ["2"] * 3
    go(plain, "release", "3")
    root = Path(scope.hosts[0].root)
    assert live(scope) == ["3"] * 3
    assert not (root / "blue").is_symlink()
    go(scope, "release", "1")
    assert serves(scope, 0) == "1"


def test_the_first_blue_green_release_that_fails_goes_back_to_what_had_no_colour(
    tmp_path: Path,
) -> None:
    plain = make_scope(tmp_path, [RESTART])
    go(plain, "release", "1")
    bad = check('test "$CASTOFF_VERSION" != 2', name="smoke")
    scope = scope_of(tmp_path, bad)
    with pytest.raises(RolledBack):
        go(scope, "release", "2")
    assert live(scope) == ["1"] * 3
    assert log(scope, 0)[-1] == "switch to 1 in , live: "


def test_the_plan_names_the_steps_of_the_idle_colour(tmp_path: Path) -> None:
    scope = scope_of(tmp_path)
    plan = look_ahead(resolve(scope, "release", "1"))
    assert plan.hosts[0].steps == (
        ("start_idle", "start"),
        ("check_idle", "is-up"),
        ("activate", "switch"),
    )
    update = {"strategy": Strategy()}
    usual = replace(scope, environment=scope.environment.model_copy(update=update))
    assert look_ahead(resolve(usual, "release", "1")).hosts[0].steps == (("activate", "switch"),)


def test_a_lost_version_of_the_idle_colour_is_made_anew(tmp_path: Path) -> None:
    scope = scope_of(tmp_path)
    for version in ("1", "2"):
        go(scope, "release", version)
    root = Path(scope.hosts[0].root)
    shutil.rmtree(root / "releases" / "1")
    go(scope, "release", "1")
    assert serves(scope, 0) == "1"
