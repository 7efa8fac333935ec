"""Some hosts instead of all: who is chosen, and what the record says afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.job import Kind, Scope
from castoff.releaser.operations.status import look
from castoff.releaser.partial import Choice, homeless_steps, narrow, narrowed
from castoff.releaser.record import on_record, previous_good
from castoff.releaser.release import resolve, run
from castoff.releaser.resume import resume
from castoff.releaser.timeline import Timeline
from castoff.releaser.watch import Silent
from castoff.store import history, run_document
from castoff.store.errors import UsageError
from support.local_scope import make_scope

ROLES = {"web1": ("web", "db"), "web2": ("web",), "web3": ("worker",)}


@pytest.fixture
def scope(tmp_path: Path) -> Scope:
    return with_roles(make_scope(tmp_path, []))


def with_roles(scope: Scope) -> Scope:
    return replace(scope, hosts=tuple(replace(h, roles=ROLES[h.name]) for h in scope.hosts))


def go(scope: Scope, kind: Kind, version: str) -> None:
    run(resolve(scope, kind, version), Timeline(Silent()))


def live(scope: Scope) -> list[str | None]:
    return [host.current for host in look(scope).hosts]


def names(scope: Scope, only: str | None = None, without: str | None = None) -> list[str]:
    return [host.name for host in narrow(scope, Choice(only=only, without=without)).hosts]


def test_hosts_are_chosen_by_name_and_role_in_the_order_of_the_file(scope: Scope) -> None:
    assert names(scope, "web3,web1") == ["web1", "web3"]
    assert names(scope, "role:web") == ["web1", "web2"]
    assert names(scope, "role:worker, web2") == ["web2", "web3"]
    assert names(scope, without="role:db") == ["web2", "web3"]
    assert names(scope, "role:web", "web1") == ["web2"]


def test_the_choice_is_told_in_words_unless_it_leaves_nobody_out(scope: Scope) -> None:
    assert narrow(scope, Choice(only="web1,role:worker")).partial == "only web1, role:worker"
    assert narrow(scope, Choice(without="web1")).partial == "all except web1"
    assert narrow(scope, Choice(only="role:web,role:worker")) is scope
    assert narrow(scope, Choice()) is scope


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (Choice(only="wbe1"), "no host 'wbe1'; did you mean 'web1'"),
        (Choice(only="role:workers"), "has the role 'workers'; did you mean 'role:worker'"),
        (Choice(without="web9"), "no host 'web9'"),
        (Choice(only="web1", without="role:db"), "no host of production is left"),
        (Choice(only=","), "no host of production is left"),
    ],
)
def test_a_choice_of_nobody_is_refused(scope: Scope, choice: Choice, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        narrow(scope, choice)


def test_canaries_that_are_not_chosen_are_no_canaries(scope: Scope) -> None:
    strategy = scope.environment.strategy.model_copy(update={"canary": ("web1", "worker")})
    env = scope.environment.model_copy(update={"strategy": strategy})

    assert narrowed(env, scope.hosts[:1]).strategy.canary == ("web1",)
    assert narrowed(env, scope.hosts[1:2]).strategy.canary == ()


def test_once_only_steps_without_a_leader_among_the_chosen_are_named(tmp_path: Path) -> None:
    steps: list[dict[str, Any]] = [
        {"name": "migrate", "moment": "once", "command": "true", "roles": ("db",)},
        {"name": "backup", "moment": "backup", "command": "true"},
        {"name": "other", "moment": "once", "command": "true", "roles": ("db",), "apps": ("x",)},
        {"name": "restart", "moment": "activate", "command": "true", "roles": ("db",)},
        {
            "name": "forget",
            "moment": "after_activate",
            "once": True,
            "command": "true",
            "roles": ("db",),
        },
    ]
    scope = with_roles(make_scope(tmp_path, [steps[1]]))
    from castoff.config.model import Step

    env = scope.environment.model_copy(
        update={"steps": tuple(Step.model_validate(step) for step in steps)}
    )
    scope = replace(scope, environment=env)

    assert homeless_steps(narrow(scope, Choice(only="web2"))) == ("migrate", "forget")
    assert homeless_steps(narrow(scope, Choice(only="web1"))) == ()


def test_a_partial_release_leaves_the_record_of_the_environment_as_it_was(scope: Scope) -> None:
    go(scope, "release", "1")
    go(scope, "release", "2")
    some = narrow(scope, Choice(only="role:worker"))

    go(some, "release", "3")

    assert live(scope) == ["2", "2", "3"]
    assert on_record(scope) == "2"
    assert previous_good(scope) == "1"
    assert not look(scope).agrees
    newest = history.entries(scope.store, scope.app, scope.environment_name)[0]
    assert (newest.outcome, newest.only) == ("released", "only role:worker")
    assert [row.name for row in newest.hosts] == ["web3"]

    go(some, "rollback", "2")
    assert look(scope).agrees

    go(some, "release", "3")
    go(scope, "release", "3")
    assert live(scope) == ["3", "3", "3"]
    assert previous_good(scope) == "2", "a rollback goes to what all had"


def test_a_partial_release_that_was_interrupted_is_resumed_as_one(scope: Scope) -> None:
    go(scope, "release", "1")
    some = narrow(scope, Choice(only="web2"))
    go(some, "release", "2")
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    assert seen is not None
    assert seen[0].only == "only web2"
    unfinished = seen[0].model_copy(update={"over": False, "phase": "activate"})
    run_document.write(scope.store, scope.app, scope.environment_name, unfinished, etag=seen[1])

    resume(scope, Timeline(Silent()))

    assert live(scope) == ["1", "2", "1"]
    assert on_record(scope) == "1"
    newest = history.entries(scope.store, scope.app, scope.environment_name)[0]
    assert (newest.outcome, newest.only) == ("released", "only web2")
