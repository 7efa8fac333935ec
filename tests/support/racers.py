"""Processes that all do the same to one store at the same moment."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from castoff.store import artifacts, history, lease
from castoff.store.backend import Store
from castoff.store.errors import Conflict, ImmutableVersion, Locked
from castoff.store.open import open_store
from support import warm
from support.s3 import ENVIRONMENT

RACERS = 8
_SECONDS = 120.0


@dataclass(frozen=True)
class Place:
    """A store that another process can open."""

    url: str
    base: Path
    endpoint_url: str | None = None

    def open(self) -> Store:
        """Open the store in this process."""
        return open_store(self.url, base=self.base, endpoint_url=self.endpoint_url)


# Of a store, the racer's number and the round's; a function of this module, for it is pickled.
Step = Callable[[Store, int, int], Any]


class Crew:
    """Processes that wait for something to race for; they live until the end of the context.

    So the holder of a lease is alive while others look at it, and boto3 is loaded once in each.
    """

    def __init__(self) -> None:
        context = warm.context()
        # Kept: once it is gone here, a process that is still starting cannot find it.
        self._barrier = context.Barrier(RACERS)
        self._lines: list[Connection] = []
        self._processes = []
        for racer in range(RACERS):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_serve, args=(racer, theirs, self._barrier), daemon=True
            )
            process.start()
            theirs.close()
            self._lines.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for line in self._lines:
            line.close()
        for process in self._processes:
            process.join(timeout=5)
            process.kill()
            process.join()
            process.close()

    def race(self, place: Place, step: Step, *, rounds: int = 1) -> list[list[Any]]:
        """Run `step` in all processes at once, round by round; all wait for each other.

        Returns:
            For each round, what the racers' calls returned, in the order of their numbers.
        """
        for line in self._lines:
            line.send((place, step, rounds))
        found = []
        for line in self._lines:
            assert line.poll(_SECONDS), "a racer does not come back"
            results = line.recv()
            assert isinstance(results, list), results
            found.append(results)
        return [list(results) for results in zip(*found, strict=True)]


def _serve(racer: int, line: Connection, barrier: Barrier) -> None:
    os.environ.update(ENVIRONMENT)
    while True:
        try:
            place, step, rounds = line.recv()
        except EOFError:
            return
        try:
            store = place.open()
            list(store.entries("warm-up/"))
            results = []
            for number in range(rounds):
                barrier.wait(_SECONDS)
                results.append(step(store, racer, number))
            line.send(results)
        except BaseException:
            barrier.abort()
            line.send(traceback.format_exc())
            raise


def create(store: Store, racer: int, number: int) -> bool:
    """Create the round's document; return whether this racer did."""
    try:
        store.create(f"race/{number}", f"{racer}".encode())
    except Conflict:
        return False
    return True


def count_up(store: Store, racer: int, number: int) -> None:
    """Add one to a counter, however often others are quicker."""
    while True:
        seen = store.read("counter")
        count = json.loads(seen.data)["count"] + 1
        try:
            store.replace(
                "counter",
                json.dumps({"count": count, "by": [racer, number]}).encode(),
                etag=seen.etag,
            )
        except Conflict:
            continue
        return


def append(store: Store, racer: int, number: int) -> int:
    """Write a history entry; return its number."""
    draft = history.Draft(
        kind="release",
        version=f"1.{racer}.{number}",
        from_version=None,
        outcome="released",
        who=f"racer@{os.getpid()}",
        started=1.0,
        ended=2.0,
        commit="c" * 40,
        detail="",
        activation_seconds=None,
        hosts=(),
    )
    return history.append(store, "shop", "production", draft).number


def take_lease(store: Store, racer: int, number: int) -> int | None:
    """Take the round's lease and keep it; return its token, or None if another has it."""
    try:
        held = lease.acquire(
            store, "shop", f"env{number}", owner=f"racer{racer}@test", reason="race", ttl=3600
        )
    except Locked:
        return None
    return held.token


def take_lease_in_turn(store: Store, racer: int, number: int) -> int:
    """Take one lease, however long others hold it, and give it back; return its token."""
    del number
    while True:
        try:
            held = lease.acquire(
                store, "shop", "production", owner=f"racer{racer}@test", reason="race", ttl=3600
            )
        except Locked:
            continue
        lease.release(held)
        return held.token


def push(store: Store, racer: int, number: int, *, directory: Path) -> str:
    """Push one of two artifacts of one version; return what came of it."""
    artifact = artifacts.load_local(directory / str(racer % 2), "shop", f"1.{number}")
    try:
        return "created" if artifacts.push(store, artifact).created else "there"
    except ImmutableVersion:
        return "refused"
