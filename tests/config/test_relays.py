"""Which hosts are reached by way of which, and what is no relay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from castoff.config.errors import ConfigError
from castoff.config.hosts import resolve_hosts
from castoff.config.model import Environment, FanOut, Host
from castoff.config.relays import relays_of


def environment(*hosts: dict[str, Any], relay: str = "zone", **more: Any) -> Environment:
    """Return an environment; a host's zone is its name without its number."""
    rows = tuple(Host(**{"zone": one["name"].rstrip("0123456789"), **one}) for one in hosts)
    return Environment.model_validate(
        {"hosts": rows, "fan_out": FanOut.model_validate({"relay": relay}), **more}
    )


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def test_without_a_word_every_host_is_reached_directly() -> None:
    env = environment(*named("a1", "a2"), relay="none")
    assert relays_of(env) == {"a1": (), "a2": ()}


def test_a_zone_has_its_hosts_in_turn() -> None:
    env = environment(*named("a1", "b1", "a2", "a3", "b2", "a4", "a5"), {"name": "c", "zone": None})
    assert relays_of(env) == {
        "a1": (),
        "b1": (),
        "a2": ("a1",),
        "a3": ("a1", "a2"),
        "b2": ("b1",),
        "a4": ("a1", "a2", "a3"),
        "a5": ("a1", "a2", "a3"),
        "c": (),
    }


def test_what_a_host_says_wins_and_its_relay_is_reached_directly() -> None:
    env = environment(
        *named("a1", "a2"), {"name": "a3", "relay": "none"}, {"name": "a4", "relay": "a2"}
    )
    assert relays_of(env) == {"a1": (), "a2": (), "a3": (), "a4": ("a2",)}


def test_a_local_host_takes_no_part_in_a_zone() -> None:
    env = environment({"name": "a1", "transport": "local"}, *named("a2", "a3"))
    assert relays_of(env) == {"a1": (), "a2": (), "a3": ("a2",)}


def test_a_resolved_host_knows_where_its_relay_is() -> None:
    env = environment({"name": "a1", "address": "192.0.2.1", "user": "porter"}, *named("a2"))
    first, second = resolve_hosts("shop", env, Path("/repo"))
    assert second.relays == (first,)
    assert second.relay_login == "controller"
    assert replace(second, relays=()) != second


@pytest.mark.parametrize(
    ("hosts", "said"),
    [
        ([{"name": "web1", "relay": "wab2"}, *named("web2")], "'wab2', which is no host"),
        ([{"name": "web1", "relay": "web1"}], "its own relay"),
        (
            [*named("a"), {"name": "b", "relay": "a"}, {"name": "c", "relay": "b"}],
            "which has one itself",
        ),
        ([{"name": "a", "transport": "local"}, {"name": "b", "relay": "a"}], "reached by ssh"),
        ([{"name": "a"}, {"name": "b", "relay": "a", "transport": "local"}], "reached by ssh"),
    ],
)
def test_what_is_no_relay_is_told(hosts: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        environment(*hosts)


def test_a_relay_may_be_among_hosts_that_are_looked_up() -> None:
    env = environment({"name": "b", "relay": "a"}, hosts_from={"command": "./list"})
    with pytest.raises(ConfigError, match="'a', which is no host"):
        resolve_hosts("shop", env, Path("/repo"))
    whole = env.model_copy(update={"hosts": (*env.hosts, Host(name="a"))})
    assert [one.name for one in resolve_hosts("shop", whole, Path("/repo"))[0].relays] == ["a"]
