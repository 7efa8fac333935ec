"""Hosts that come from elsewhere than the file, held to the file's rules."""

from __future__ import annotations

from typing import Any

import pytest

from castoff.config.errors import ConfigError
from castoff.config.host_rows import parse_hosts, with_hosts
from castoff.config.model import Environment

WHERE = "the list"


def environment(*hosts: dict[str, Any], **more: Any) -> Environment:
    return Environment.model_validate({"hosts_from": {"command": "x"}, "hosts": hosts, **more})


def test_rows_are_hosts_as_in_the_file() -> None:
    rows = [{"name": "web1", "roles": ["web", "db"], "env": {"A": "1"}}, {"name": "web2"}]

    first, second = parse_hosts(rows, origin=WHERE)

    assert (first.roles, first.env) == (("web", "db"), {"A": "1"})
    assert second.name == "web2"


def test_all_mistakes_are_told_with_the_number_and_name_of_their_host() -> None:
    rows: list[Any] = [
        {"name": "web1", "prot": 22},
        {"name": "Web 2"},
        {"name": "web3", "port": "22", "env": {"A": 1}},
        "web4",
        {"address": "192.0.2.1"},
    ]
    with pytest.raises(ConfigError) as caught:
        parse_hosts(rows, origin=WHERE)

    assert caught.value.message.splitlines() == [
        "the list: host 1 (web1): unknown key 'prot'; did you mean 'port'?",
        (
            "the list: host 2 (Web 2): name: a name has small letters, digits and '-', starts "
            'with a letter or digit, and is at most 63 characters long, got text "Web 2"'
        ),
        'the list: host 3 (web3): port: expected a whole number, got text "22"',
        "the list: host 3 (web3): [env] A: expected text, got a number",
        'the list: host 4: expected a table, got text "web4"',
        "the list: host 5: missing key 'name'",
    ]


def test_something_else_than_a_list_is_refused() -> None:
    with pytest.raises(ConfigError, match="the list: expected a list of tables"):
        parse_hosts({"name": "web1"}, origin=WHERE)


def test_found_hosts_stand_behind_those_of_the_file() -> None:
    found = parse_hosts([{"name": "b"}], origin=WHERE)
    whole = with_hosts(environment({"name": "a"}), found, origin=WHERE)
    assert [host.name for host in whole.hosts] == ["a", "b"]


def test_found_hosts_must_go_together_with_the_rest() -> None:
    found = parse_hosts([{"name": "a", "root": "{ap}/x"}], origin=WHERE)
    with pytest.raises(ConfigError) as caught:
        with_hosts(environment({"name": "a"}), found, origin=WHERE)
    assert "the list: two hosts are named 'a'" in caught.value.message
    assert "{ap} stands for nothing" in caught.value.message


def test_no_host_at_all_is_told() -> None:
    with pytest.raises(ConfigError, match="no host was found"):
        with_hosts(Environment.model_validate({"hosts_from": {"command": "x"}}), (), origin=WHERE)
