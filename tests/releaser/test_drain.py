"""Hosts in quarantine are taken out of service, once, and put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import (
    PrepareFailed,
)
from support.apart import APART, Ground
from support.engine import RESTART, live


def drains(folder: Path) -> dict[str, Any]:
    note = f"echo %s $CASTOFF_HOST $CASTOFF_VERSION $CASTOFF_ADDRESS >> {folder}/balancer"
    return {**APART, "drain": note % "off", "restore": note % "on"}


def test_a_load_balancer_is_told_once_for_each_stay_and_again_at_its_end(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART], stragglers=drains(tmp_path))

    ground.run("release", "2", "web3")
    assert ground.apart()["web3"].drained
    ground.run("release", "3", "web3")
    ground.run("release", "3")

    told = (tmp_path / "balancer").read_text().splitlines()
    assert told == ["off web3 2 web3", "on web3 3 web3"]


def test_a_host_that_cannot_be_drained_stops_the_release(tmp_path: Path) -> None:
    ground = Ground(tmp_path, [RESTART], stragglers={**APART, "drain": "echo no; exit 3"})

    with pytest.raises(PrepareFailed, match="taken out of service"):
        ground.run("release", "2", "web3")

    assert live(ground.scope) == ["1"] * 3
    assert not ground.apart()["web3"].drained


def test_a_step_of_the_controller_drains_with_what_it_says_itself(tmp_path: Path) -> None:
    step = {
        "name": "drain",
        "moment": "quarantine",
        "run_on": "controller",
        "command": f'echo "$POOL $CASTOFF_HOST $CASTOFF_ROOT" > {tmp_path}/drained',
        "env": {"POOL": "blue"},
    }
    ground = Ground(tmp_path, [RESTART, step], stragglers=APART)

    ground.run("release", "2", "web3")

    said = (tmp_path / "drained").read_text().split()
    assert said == ["blue", "web3", ground.scope.hosts[2].root]
    assert ground.apart()["web3"].drained


def test_a_host_that_cannot_be_put_back_stays_in_quarantine(tmp_path: Path) -> None:
    stragglers = {**APART, "drain": "true", "restore": f"test -e {tmp_path}/mended"}
    ground = Ground(tmp_path, [RESTART], stragglers=stragglers)
    ground.run("release", "2", "web3")

    ground.run("release", "3")
    assert live(ground.scope) == ["3"] * 3
    assert set(ground.apart()) == {"web3"}

    (tmp_path / "mended").touch()
    ground.converge()
    assert ground.apart() == {}
