"""Hosts with everything they take from their environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from castoff.config.errors import ConfigError
from castoff.config.hosts import resolve_hosts
from castoff.config.model import Environment

BASE = Path("/repo")


def environment(*hosts: dict[str, Any], **more: Any) -> Environment:
    return Environment.model_validate({"hosts": hosts, **more})


def test_a_host_that_says_nothing_takes_all_from_the_environment() -> None:
    env = environment(
        {"name": "web1", "roles": ("web", "db")},
        user="deploy",
        port=2222,
        key="/keys/id",
        jump="gate",
        python="python3.12",
        known_hosts="hosts/known",
        env={"A": "1"},
    )

    (host,) = resolve_hosts("shop", env, BASE)

    assert (host.name, host.address, host.roles) == ("web1", "web1", ("web", "db"))
    assert (host.transport, host.user, host.port) == ("ssh", "deploy", 2222)
    assert (host.key, host.jump, host.python) == (Path("/keys/id"), "gate", "python3.12")
    assert host.root == "/srv/shop"
    assert host.known_hosts == Path("/repo/hosts/known")
    assert dict(host.env) == {"A": "1"}


def test_what_a_host_says_wins() -> None:
    own = {
        "name": "web1",
        "address": "192.0.2.1",
        "user": "admin",
        "port": 23,
        "key": "own",
        "jump": "door",
        "python": "/py",
        "root": "~/{app}-{host}",
        "env": {"B": "host", "C": "host"},
    }
    env = environment(own, user="deploy", port=2222, key="k", jump="gate", python="python3")
    env = env.model_copy(update={"env": {"A": "all", "B": "all"}})

    (host,) = resolve_hosts("shop", env, BASE)

    assert (host.address, host.user, host.port) == ("192.0.2.1", "admin", 23)
    assert (host.key, host.jump, host.python) == (Path("/repo/own"), "door", "/py")
    assert host.root == "~/shop-web1"
    assert dict(host.env) == {"A": "all", "B": "host", "C": "host"}


def test_the_home_folder_is_filled_in_here_but_left_to_the_host_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    env = environment(
        {"name": "far", "root": "~/far"},
        {"name": "near", "root": "~/near", "transport": "local"},
        key="~/.ssh/id",
    )

    far, near = resolve_hosts("shop", env, BASE)

    assert (far.key, far.root) == (Path("/home/me/.ssh/id"), "~/far")
    assert near.root == "/home/me/near"


def test_a_local_root_starts_at_the_file() -> None:
    env = environment({"name": "web1"}, transport="local", root="./hosts/../demo/{host}")

    assert resolve_hosts("shop", env, BASE)[0].root == "/repo/demo/web1"


def test_hosts_keep_the_order_of_the_file() -> None:
    env = environment({"name": "z"}, {"name": "a"}, {"name": "m"})

    assert [host.name for host in resolve_hosts("shop", env, BASE)] == ["z", "a", "m"]


def test_two_local_hosts_never_share_a_root() -> None:
    env = environment(
        {"name": "a", "root": "./x"}, {"name": "b", "root": "./y/../x"}, transport="local"
    )

    with pytest.raises(ConfigError, match="'a' and 'b' share the root /repo/x") as caught:
        resolve_hosts("shop", env, BASE)

    assert "{host}" in caught.value.hint


def test_a_home_folder_of_nobody_is_refused() -> None:
    env = environment({"name": "a"}, key="~no-such-user/id")

    with pytest.raises(ConfigError, match="~no-such-user/id"):
        resolve_hosts("shop", env, BASE)
