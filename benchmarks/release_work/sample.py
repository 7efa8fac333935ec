"""Measure one command of one tool, from outside."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

from common.figures import seconds, size
from common.usage import TooLong, measure
from common.watch import Watch
from common.wire import bytes_of
from release_work.ground import Ground
from release_work.peers.peer import Command, Peer
from release_work.repository import Repository


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
        started: When it started, by the monotonic clock.
        serves: Seconds from the start until each host serves the new version.
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
    started: float
    serves: dict[str, float]


@dataclass(frozen=True)
class Failure:
    """A command that did not do its job on one fleet.

    Attributes:
        what: As in `Sample`.
        reason: In words that fit into a table.
    """

    tool: str
    what: str
    hosts: int
    reason: str


class Failed(Exception):
    """What is wrong, as data."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.tool} on {failure.hosts} hosts: {failure.reason}")
        self.failure = failure


def take(
    it: Ground[Repository],
    peer: Peer[Any],
    what: str,
    version: str,
    command: Command,
    *,
    limit: float | None = None,
    pause: float = 0.02,
) -> Sample:
    """Run a tool's command, watch the hosts, and say on standard error what was measured.

    Hosts are asked every `pause` seconds, or more seldom where there are many: so exact are
    moments, and the more exact the bytes the more seldom.

    Raises:
        Failed: It took longer than `limit` seconds, or not all hosts serve the version; the end
            of what the tool printed is on standard error.
    """
    # The more hosts, the more seldom, so as not to take the processors that are measured.
    pause = max(pause, len(it.hosts) / 200)
    connection, question = _cost_of_watching(it, pause)
    before = [bytes_of(host) or 0 for host in it.hosts]
    log = it.folder / f"{what}-{version}.log"
    with _watch(it, pause) as watch:
        try:
            used = measure(
                command.argv,
                cwd=command.cwd,
                env=command.env(it.folder),
                log=log,
                limit=limit,
            )
            it.wait(version)
        except RuntimeError as error:
            raise _failed(it, peer, what, version, error) from error
    after = [bytes_of(host) or 0 for host in it.hosts]
    first = watch.first(f"version {version}.")
    sample = Sample(
        tool=peer.name,
        what=what,
        hosts=len(it.hosts),
        prepared=min(first.values()) - used.started,
        activation=max(first.values()) - min(first.values()),
        total=used.seconds,
        wire=(sum(after) - sum(before)) / len(it.hosts) - connection - question * _asked(watch),
        cpu=used.cpu,
        memory=used.memory,
        started=used.started,
        serves={name: moment - used.started for name, moment in first.items()},
    )
    print(
        f"{sample.hosts:3} hosts  {sample.tool:24} {what:9} total {seconds(sample.total):>7}  "
        f"first serves {seconds(sample.prepared):>7}  spread {seconds(sample.activation):>8}  "
        f"wire {size(sample.wire):>8}  cpu {seconds(sample.cpu):>7}  {size(sample.memory):>8}",
        file=sys.stderr,
    )
    return sample


def _failed(
    it: Ground[Repository], peer: Peer[Any], what: str, version: str, error: RuntimeError
) -> Failed:
    print(f"{peer.name}, {what}: {error}", file=sys.stderr)
    without = f"{len(it.without(version))} of {len(it.hosts)}"
    reason = f"{error} on {without}" if isinstance(error, TooLong) else f"failed on {without}"
    return Failed(Failure(peer.name, what, len(it.hosts), reason))


def _watch(it: Ground[Repository], pause: float) -> Watch:
    return Watch.of(it.hosts, it.ports, pause)


def _cost_of_watching(it: Ground[Repository], pause: float) -> tuple[float, float]:
    """Return what the watch itself puts on a host's wire: for its connection, and for a question.

    Two watches of different lengths tell them apart.
    """
    spent = []
    for length in (max(0.2, 2 * pause), max(1.0, 12 * pause)):
        before = sum(bytes_of(host) or 0 for host in it.hosts)
        with _watch(it, pause) as watch:
            time.sleep(length)
        after = sum(bytes_of(host) or 0 for host in it.hosts)
        spent.append((_asked(watch), (after - before) / len(it.hosts)))
    (few, less), (many, more) = spent
    question = (more - less) / (many - few)
    return less - question * few, question


def _asked(watch: Watch) -> float:
    """Return how often a host was asked, the mean of all."""
    return sum(map(len, watch.answers.values())) / len(watch.answers)
