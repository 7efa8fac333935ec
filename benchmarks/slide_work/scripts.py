"""The slides' five scripts. Each is run for real, step by step, over SSH.

The slides give the steps of scripts 3 to 5 and how they are spread over hosts. Of the first two,
which are for one server, they say: a basic one, and one that backs up and lets a commit be chosen.
For several hosts somebody starts those by hand: host after host, or in as many terminals at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from common.hosts import FleetHost
from slide_work.ssh import Connections
from slide_work.stage import Stage
from slide_work.steps import SECONDS, command

ALL = tuple(SECONDS)
BASIC = tuple(name for name in ALL if name not in {"backup_database", "switch_release"})
ONCE = "migrate_database"
PREPARE = ("deploy_code", "install_requirements", "backup_database", "collectstatic")
ACTIVATE = ("migrate_database", "switch_release", "reload_server")
NEW = "2"


@dataclass
class Script:
    """A script under way.

    Attributes:
        begun: Host and step, in the order in which they began.
    """

    stage: Stage
    connections: Connections
    in_place: bool = False
    begun: list[tuple[float, str, str]] = field(default_factory=list)

    def step(self, name: str, *hosts: FleetHost) -> None:
        """Do a step on some hosts at the same time; return when all are done."""
        with ThreadPoolExecutor(len(hosts)) as pool:
            list(pool.map(lambda host: self._on(host, name), hosts))

    def _on(self, host: FleetHost, name: str) -> None:
        self.begun.append((time.monotonic(), host.name, name))
        place = self.stage.place(host)
        self.connections.run(host, command(name, place, NEW, in_place=self.in_place))


def basic(script: Script) -> None:
    """Script 1, started for one host after the other: no back-up, the code put over the old."""
    script.in_place = True
    _one_after_the_other(script, BASIC)


def by_hand(script: Script) -> None:
    """Script 2, started by hand in one terminal a host, all at once: each migrates for itself."""

    def terminal(host: FleetHost) -> None:
        for name in ALL:
            script.step(name, host)

    with ThreadPoolExecutor(len(script.stage.hosts)) as pool:
        list(pool.map(terminal, script.stage.hosts))


def multi_server(script: Script) -> None:
    """Script 3: all steps on the first host, then all on the second, …."""
    _one_after_the_other(script, ALL)


def parallel_with_roles(script: Script) -> None:
    """Script 4: each step on all hosts at once, migrations on one alone."""
    _together(script, ALL)


def two_steps(script: Script) -> None:
    """Script 5: first what changes nothing that serves, then the rest."""
    _together(script, PREPARE)
    _together(script, ACTIVATE)


SCRIPTS: dict[str, Callable[[Script], None]] = {
    "1 basic, host after host": basic,
    "2 with back-up, by hand at once": by_hand,
    "3 several servers": multi_server,
    "4 parallel with roles": parallel_with_roles,
    "5 two steps": two_steps,
}


def _one_after_the_other(script: Script, steps: Sequence[str]) -> None:
    for host in script.stage.hosts:
        for name in steps:
            script.step(name, host)


def _together(script: Script, steps: Sequence[str]) -> None:
    for name in steps:
        script.step(name, *(script.stage.hosts[:1] if name == ONCE else script.stage.hosts))
