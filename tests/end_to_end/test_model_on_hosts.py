"""Sequences of the model (`support.release_model`) on real SSH servers, from a seed.

The seed is printed, and a failure shows it; the same sequences come again with

    CASTOFF_TEST_SEED=SEED pytest tests/end_to_end/test_model_on_hosts.py

What they led to can then be tried in memory as well, where it takes a hundredth of the time.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from castoff.config.hosts import ResolvedHost, resolve_hosts
from castoff.config.model import Config
from castoff.releaser.job import Scope
from castoff.releaser.transports.base import Channel
from castoff.releaser.transports.connect import connector
from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet
from support.local_scope import APP, make_scope
from support.release_model import HOSTS, STEPS, Releases
from support.ssh_model_fleet import SshModelFleet

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

LIMITS = {"connect": 10, "answer": 5, "reconnect": 5}


class OnHosts(Releases):
    """The model with hosts that are reached over SSH; blue-green is left to the one in memory."""

    servers: ClassVar[Fleet]
    rounds: ClassVar[itertools.count[int]]

    def make_fleet(self) -> SshModelFleet:
        return SshModelFleet(reach=self._reach)

    def make_scope(self, folder: Path, strategy: str, policy: dict[str, str]) -> Scope:
        self.paired = False
        # Nothing that an earlier sequence has left is in the way of the next.
        place = f"round{next(self.rounds)}"
        hosts = tuple(
            {
                "name": host.name,
                "address": host.address,
                "port": host.port,
                "user": host.user,
                "key": str(host.key_path),
                "root": f"{host.root}/{place}/{{app}}",
            }
            for host in self.servers.hosts
        )
        environment = {
            "known_hosts": str(self.servers.known_hosts),
            "hosts": hosts,
            "steps": tuple(STEPS),
            "limits": LIMITS,
            "strategy": {"kind": "all" if strategy == "blue-green" else strategy},
            "stragglers": policy,
        }
        config = Config.model_validate(
            {"apps": {APP: {}}, "environments": {"production": environment}}
        )
        chosen = config.environments["production"]
        there = resolve_hosts(APP, chosen, folder)
        return replace(make_scope(folder, STEPS), environment=chosen, hosts=there)

    def _reach(self, host: ResolvedHost, timeout: float) -> Channel:
        return connector(self.scope.hosts)(host, timeout)

    def _links(self) -> list[tuple[str | None, Path]]:
        found: list[tuple[str | None, Path]] = []
        for server, host in zip(self.servers.hosts, self.scope.hosts, strict=True):
            root = server.path(host.root)
            link = root / "current"
            found.append((link.readlink().name if link.is_symlink() else None, root))
        return found


def replay(make_fleet: MakeFleet, *, sequences: int, steps: int) -> None:
    """Try some sequences of so many steps on new hosts."""
    chosen = int(os.environ.get("CASTOFF_TEST_SEED", random.randrange(10**9)))
    sys.stdout.write(f"CASTOFF_TEST_SEED={chosen}\n")
    OnHosts.servers, OnHosts.rounds = make_fleet(len(HOSTS)), itertools.count()
    run_state_machine_as_test(
        seed(chosen)(OnHosts),
        settings=settings(
            max_examples=sequences,
            stateful_step_count=steps,
            database=None,
            # No search for a shorter sequence: it would take hours.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_few_random_histories_keep_every_promise_on_real_hosts(make_fleet: MakeFleet) -> None:
    replay(make_fleet, sequences=2, steps=6)


@pytest.mark.sweep
def test_more_random_histories_keep_every_promise_on_real_hosts(make_fleet: MakeFleet) -> None:
    replay(make_fleet, sequences=12, steps=12)
