"""The plan says what a release would do, does nothing, and is kept with the release."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.config.hosts import resolve_hosts
from castoff.config.load import load
from castoff.config.model import Strategy
from castoff.config.scaffold import scaffold
from castoff.releaser import documents
from castoff.releaser.job import Kind, Scope
from castoff.releaser.plan import Plan
from castoff.releaser.release import look_ahead, resolve
from castoff.releaser.repository import NoRepository
from castoff.releaser.session import AgentSession, Asked
from castoff.store import freeze, history
from castoff.store.commits import CommitRow, Commits
from castoff.store.planned import PlannedOnce
from support.engine import MIGRATE, RESTART, check, go
from support.local_scope import make_scope
from support.projects import make

STEPS = [
    {"name": "warm", "moment": "prepare", "command": "true"},
    {"name": "drain", "moment": "before_activate", "command": "true"},
    RESTART,
    check("true"),
    MIGRATE,
]


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    return make_scope(tmp_path, STEPS)


def plan(scope: Scope, kind: Kind, version: str) -> Plan:
    return look_ahead(resolve(scope, kind, version))


def strategy(scope: Scope, **values: object) -> Scope:
    chosen = scope.environment.model_copy(update={"strategy": Strategy.model_validate(values)})
    return replace(scope, environment=chosen)


def last(scope: Scope) -> history.Entry:
    return history.find(scope.store, scope.app, scope.environment_name, None)


def test_each_host_would_fetch_and_run_all_steps_in_their_order(scope: Scope) -> None:
    made = plan(scope, "release", "1")
    assert [host.fetch > 0 for host in made.hosts] == [True] * 3
    assert [name for _, name in made.hosts[0].steps] == ["warm", "drain", "restart", "check"]
    assert made.once == (("once", "migrate", "web1"),)
    assert (made.frozen, made.gate, made.shared) == (None, (), ())
    assert not Path(scope.hosts[0].root).exists()


def test_a_long_table_is_not_in_what_hosts_are_asked(
    scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = AgentSession.ask, []

    def ask(self: AgentSession, kind: Any, op: str, given: Asked, **parameters: Any) -> Any:
        if op == "foresee":
            asked.append({"table", "table_z", "table_delta"}.intersection(parameters))
        return real(self, kind, op, given, **parameters)

    monkeypatch.setattr(AgentSession, "ask", ask)
    before = [(host.fetch, host.ways) for host in plan(scope, "release", "1").hosts]
    monkeypatch.setattr(documents, "_SHORT", 0)
    assert [(host.fetch, host.ways) for host in plan(scope, "release", "1").hosts] == before
    assert asked == [{"table_z"}] * 3 + [{"table"}] * 3


@pytest.mark.parametrize("project", ["django", "flask-migrate", "fastapi"])
def test_what_castoff_init_writes_can_be_planned(
    scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: str
) -> None:
    monkeypatch.setenv("STAGING_DATABASE_URL", "postgresql://shop@db.example.com/shop")
    make(tmp_path / project, project)
    written = load(scaffold(tmp_path / project).path).config.environments["staging"]
    here = written.model_copy(update={"transport": "local", "root": "./there/{host}"})
    hosts = resolve_hosts(scope.app, here, tmp_path)
    made = plan(replace(scope, environment=here, hosts=hosts), "release", "1")
    assert made.once == (("backup", "backup", "staging1"), ("once", "migrate", "staging1"))
    names = [name for _, name in made.hosts[0].steps if name != "restart-workers"]
    assert names in (["check", "restart", "health"], ["restart", "health"])


def test_what_runs_once_at_the_end_is_no_part_of_its_leaders_own(tmp_path: Path) -> None:
    end = check("true", name="forget") | {"once": True}
    scope = make_scope(tmp_path, [end, MIGRATE, check("true")], hosts=2)
    made = plan(scope, "release", "1")
    assert made.once == (("once", "migrate", "web1"), ("after_activate", "forget", "web1"))
    assert [name for _, name in made.hosts[0].steps] == ["check"]
    go(scope, "release", "1")
    assert plan(scope, "release", "1").once == (("after_activate", "forget", "web1"),)


def test_what_lies_there_whole_is_not_fetched_and_what_is_damaged_is(scope: Scope) -> None:
    go(scope, "release", "1")
    assert [host.fetch for host in plan(scope, "release", "1").hosts] == [0, 0, 0]
    (Path(scope.hosts[1].root) / "releases/1/app/1.txt").unlink()
    made = plan(scope, "release", "1")
    assert [host.fetch > 0 for host in made.hosts] == [False, True, False]
    assert "app/1.txt (missing)" in (made.hosts[1].damage or "")
    assert made.once == (), "what is live has been migrated to"


def test_groups_and_what_lies_between_them_are_told(scope: Scope) -> None:
    rolling = strategy(scope, kind="rolling", batch="2", soak=60.0, command="ask-nagios", ask=True)
    made = plan(rolling, "release", "1")
    assert [host.batch for host in made.hosts] == [1, 1, 2]
    assert made.gate == (
        "60 s pass",
        "the checks run again",
        "this must succeed: ask-nagios",
        "a person must say yes",
    )
    canary = strategy(scope, kind="canary", canary=("web3",))
    assert [host.batch for host in plan(canary, "release", "1").hosts] == [2, 2, 1]


def test_a_freeze_in_force_is_told(scope: Scope) -> None:
    freeze.put(
        scope.store, scope.app, scope.environment_name, owner="a@b", reason="stock", frozen=True
    )
    assert "by a@b since 20" in (plan(scope, "release", "1").frozen or "")


def test_the_history_keeps_the_plan_the_commits_and_the_job(scope: Scope) -> None:
    asked = []

    class Socks(NoRepository):
        def between(self, before: str, after: str) -> Commits:
            asked.append((before, after))
            return Commits(gained=(CommitRow(id="abc1234", subject="Sell socks"),), gained_count=1)

    by_ci = replace(scope, job_url="https://ci.example/7", repository=Socks())
    go(by_ci, "release", "1")
    first = last(scope)
    assert first.commits is None, "nothing was live before"
    assert first.plan is not None
    assert [host.fetch > 0 for host in first.plan.hosts] == [True] * 3
    assert first.plan.once == (PlannedOnce(moment="once", name="migrate", leader="web1"),)
    assert first.job_url == "https://ci.example/7"

    go(by_ci, "release", "2")
    second = last(scope)
    assert asked == [("c" * 40, "c" * 40)]
    assert second.commits == Socks().between("", "")
    assert second.plan is not None
    assert [host.serves for host in second.plan.hosts] == ["1"] * 3


def test_the_plan_of_a_rollback_fetches_nothing_and_migrates_nothing(scope: Scope) -> None:
    go(scope, "release", "1")
    go(scope, "release", "2")
    go(scope, "rollback", "1")
    kept = last(scope).plan
    assert kept is not None
    assert [host.fetch for host in kept.hosts] == [0, 0, 0]
    assert kept.once == ()
