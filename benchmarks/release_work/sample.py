"""Measure one command of one tool, from outside."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from common.figures import seconds, size
from common.usage import measure
from common.watch import Watch
from common.wire import bytes_of
from release_work.ground import Ground
from release_work.peers.peer import Command, Peer

_PAUSE = 0.02
# What the watch itself puts on the wire for a question and its answer: frames with their heads.
_BYTES_OF_A_QUESTION = 300


@dataclass(frozen=True)
class Sample:
    """One command of one tool on one fleet.

    Attributes:
        what: `first`, `release` or `rollback`.
        prepared: Seconds from the start until the first host serves the new version.
        activation: Seconds from then until the last one does.
        total: Seconds from the start to the end of the command.
        wire: Bytes to and from a host, the mean of all.
        cpu: Seconds of processor time on the controller.
        memory: Bytes on the controller at the highest.
    """

    tool: str
    what: str
    hosts: int
    prepared: float
    activation: float
    total: float
    wire: float
    cpu: float
    memory: int


def take(it: Ground, peer: Peer, what: str, version: str, command: Command) -> Sample:
    """Run a tool's command, watch the hosts, and say on standard error what was measured."""
    before = [bytes_of(host) or 0 for host in it.hosts]
    log = it.folder / f"{what}-{version}.log"
    # Once in a while, so as not to take the processors that are measured.
    with Watch.of(it.hosts, it.ports, max(_PAUSE, len(it.hosts) / 200)) as watch:
        used = measure(command.argv, cwd=command.cwd, env=command.env(it.folder), log=log)
        asked = sum(len(answers) for answers in watch.answers.values())
    it.wait(version)
    after = [bytes_of(host) or 0 for host in it.hosts]
    first = watch.first(f"version {version}.")
    sample = Sample(
        tool=peer.name,
        what=what,
        hosts=len(it.hosts),
        prepared=min(first.values()) - used.started,
        activation=max(first.values()) - min(first.values()),
        total=used.seconds,
        wire=(sum(after) - sum(before) - asked * _BYTES_OF_A_QUESTION) / len(it.hosts),
        cpu=used.cpu,
        memory=used.memory,
    )
    print(
        f"{sample.hosts:3} hosts  {sample.tool:24} {what:9} total {seconds(sample.total):>7}  "
        f"first serves {seconds(sample.prepared):>7}  spread {seconds(sample.activation):>8}  "
        f"wire {size(sample.wire):>8}  cpu {seconds(sample.cpu):>7}  {size(sample.memory):>8}",
        file=sys.stderr,
    )
    return sample
