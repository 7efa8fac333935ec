"""Hosts that have nothing, behind one line that they share."""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from release_work.ground import Ground, ground
from release_work.peers.bucket import FromBucket
from release_work.peers.ours import Castoff
from release_work.project import Project
from release_work.repository import Repository

from common.figures import seconds, size
from common.usage import measure
from common.wire import Uplink
from uplink_work.straggler import DISK, FIRST

WITHOUT, WITH = "without peers", "with peers"
_PEERS = "[environments.@.transfer]\npeers = {peers}\n"


@dataclass(frozen=True)
class Behind:
    """One first release to a site behind one line; seconds from its start, bytes.

    Attributes:
        way: `with peers` or `without peers`.
        prepared: When each host had all of it.
        carried: What went over the line to the hosts, whole frames.
        fetched: What hosts fetched of the archive, by where they had it from.
    """

    way: str
    hosts: int
    prepared: dict[str, float]
    carried: int
    fetched: dict[str, int]
    total: float


def behind_a_line(
    project: Project, way: str, endpoint: str, options: argparse.Namespace, place: Path
) -> Behind:
    """Release for the first time to all of a site; return what was measured."""
    peers = _PEERS.format(peers=json.dumps(way == WITH))
    with ground(project, options.site, place, disk=DISK) as it, ExitStack() as stack:
        ours = FromBucket(endpoint, FIRST, stack, of_each_host='zone = "site"', more=peers)
        ours.set_up(it)
        return _released(it, ours, way, options)


def _released(
    it: Ground[Repository], ours: Castoff, way: str, options: argparse.Namespace
) -> Behind:
    uplink = Uplink.of(it.hosts[0])
    uplink.slow(options.uplink)
    command = ours.release(it, FIRST)
    before = uplink.carried()
    began = time.time()
    used = measure(
        command.argv, cwd=command.cwd, env=command.env(it.folder), log=it.folder / "release.log"
    )
    carried = uplink.carried() - before
    it.wait(FIRST)
    fetched: dict[str, int] = {}
    for host in ours.last(it)["hosts"]:
        for source, count in (host["fetched"] or {}).items():
            fetched[source] = fetched.get(source, 0) + count
    prepared = {name: at - began for name, at in ours.prepared(it).items()}
    found = Behind(way, len(it.hosts), prepared, carried, fetched, used.seconds)
    print(
        f"{found.hosts} hosts {way}: {size(carried)} over the line, all prepared after "
        f"{seconds(max(prepared.values()))}, total {seconds(used.seconds)}",
        file=sys.stderr,
    )
    return found
