"""The steps of a release in the form of the talk that Castoff comes from."""

from __future__ import annotations

import pytest

from castoff.cli.render.step_table import serial_seconds, step_groups
from support.entries import released, rolled_back


def test_each_step_is_one_line_for_all_hosts_that_ran_it() -> None:
    prepare, activate = step_groups(released())
    assert prepare.part == "Prepare"
    assert [(line.hosts, line.step, line.took) for line in prepare.lines] == [
        ("web1 + web2 + web3", "connect", "0.10 s"),
        ("web1 + web2 + web3", "prepare", "4.00 – 9.00 s"),  # noqa: RUF001 (a range)
        ("web1", "backup", "0.40 s"),
    ]
    assert activate.part == "Activate"
    assert [(line.hosts, line.step, line.took) for line in activate.lines] == [
        ("web1", "migrate", "0.40 s"),
        ("web1 + web2 + web3", "flip", "1 ms"),
        ("web1 + web2 + web3", "restart", "0.50 s"),
        ("web1 + web2 + web3", "health", "0.25 s"),
    ]


def test_many_hosts_are_counted_instead_of_named() -> None:
    lines = [line for group in step_groups(released(40)) for line in group.lines]
    assert {line.hosts for line in lines} == {"all 40 hosts", "web1"}


def test_the_way_back_is_a_part_of_its_own_and_a_failure_is_marked() -> None:
    groups = {group.part: group.lines for group in step_groups(rolled_back())}
    assert list(groups) == ["Prepare", "Activate", "Go back"]
    assert {line.step: line.ok for line in groups["Activate"]} == {"flip": True, "health": False}
    assert all(line.ok for line in groups["Go back"])


def test_one_host_after_another_is_the_sum_of_all_steps_on_all_hosts() -> None:
    # connect, flip, restart, health on each; prepare 4 + 4 + 9; backup and migrate on one.
    assert serial_seconds(released()) == pytest.approx(3 * 0.851 + 17 + 0.8)
