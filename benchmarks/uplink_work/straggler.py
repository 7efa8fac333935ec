"""A fleet of which one host is slow: when each host is prepared, and when it serves."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from release_work.ground import ground
from release_work.peers.ours import Castoff
from release_work.peers.shell_rsync import Rsync
from release_work.project import Project
from release_work.sample import take

from common.tools import Unavailable
from uplink_work.rates import tenth

FIRST, CHANGE = "1", "2"
WHAT = {FIRST: "first release", CHANGE: "one line changed"}
OURS = "Castoff"
DISK = "400m"


@dataclass(frozen=True)
class Straggler:
    """One release by one tool to a fleet of which the last host is slow; seconds from its start.

    Attributes:
        prepared: When each host had all of the new version.
        serves: When each host was first seen to serve it.
    """

    tool: str
    what: str
    prepared: dict[str, float]
    serves: dict[str, float]
    total: float

    @property
    def all_prepared(self) -> float:
        """When the last host had all of it."""
        return max(self.prepared.values())

    @property
    def mixed(self) -> float:
        """For how long some hosts served the new version and some the old one."""
        return max(self.serves.values()) - min(self.serves.values())

    @property
    def too_early(self) -> int:
        """How many hosts served the new version before all had it."""
        return sum(moment < self.all_prepared for moment in self.serves.values())


def with_a_slow_host(
    project: Project, tool: Castoff | Rsync, options: argparse.Namespace, place: Path
) -> list[Straggler]:
    """Release twice by one tool, the last host being slow; return what was measured."""
    try:
        tool.get()
    except Unavailable as error:
        sys.exit(f"{tool.name} cannot be had: {error}")
    found = []
    with ground(project, options.hosts, place, disk=DISK) as it:
        tool.set_up(it)
        *others, slow = it.hosts
        for host in others:
            host.slow(options.rate)
        slow.slow(tenth(options.rate))
        for version, what in WHAT.items():
            began = time.time()
            start = time.monotonic()
            sample = take(it, tool, what, version, tool.release(it, version))
            # The tool's own moments are of the clock on the wall.
            offset = began + sample.started - start
            prepared = {name: at - offset for name, at in tool.prepared(it).items()}
            found.append(Straggler(tool.name, what, prepared, sample.serves, sample.total))
    return found
