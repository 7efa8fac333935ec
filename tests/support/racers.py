"""Processes that all do the same to one store at the same moment."""

from __future__ import annotations

import json
import multiprocessing
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from castoff.store import artifacts, history, lease
from castoff.store.backend import Store
from castoff.store.errors import Conflict, ImmutableVersion, Locked
from castoff.store.open import open_store

RACERS = 8
_SECONDS = 120.0


@dataclass(frozen=True)
class Place:
    """A store that another process can open; its environment has the credentials."""

    url: str
    base: Path
    endpoint_url: str | None = None

    def open(self) -> Store:
        """Open the store in this process."""
        return open_store(self.url, base=self.base, endpoint_url=self.endpoint_url)


Step = Callable[[Store, int, int], Any]


def race(place: Place, step: Step, *, rounds: int = 1) -> list[list[Any]]:
    """Run `step(store, racer, round)` in all processes at once, round by round.

    Args:
        place: The store.
        step: A function of this module.
        rounds: How often; all wait for each other before each.

    Returns:
        For each round, what the racers' calls returned, in the order of their numbers.
    """
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(RACERS)
    queue: Queue[tuple[int, list[Any] | str]] = context.Queue()
    processes = [
        context.Process(target=_run, args=(place, step, racer, rounds, barrier, queue))
        for racer in range(RACERS)
    ]
    for process in processes:
        process.start()
    try:
        found = dict(queue.get(timeout=_SECONDS) for _ in processes)
    finally:
        for process in processes:
            process.join(timeout=5)
            process.kill()
            process.join()
        queue.close()
        queue.join_thread()
    for results in found.values():
        assert not isinstance(results, str), results
    return [[found[racer][number] for racer in range(RACERS)] for number in range(rounds)]


def _run(
    place: Place,
    step: Step,
    racer: int,
    rounds: int,
    barrier: Barrier,
    queue: Queue[tuple[int, list[Any] | str]],
) -> None:
    try:
        store = place.open()
        list(store.entries("warm-up/"))
        results = []
        for number in range(rounds):
            barrier.wait(timeout=_SECONDS)
            results.append(step(store, racer, number))
        queue.put((racer, results))
    except BaseException:
        barrier.abort()
        queue.put((racer, traceback.format_exc()))
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


def push(store: Store, racer: int, number: int) -> str:
    """Push one of two artifacts of one version; return what came of it."""
    directory = Path(os.environ["CASTOFF_TEST_ARTIFACTS"]) / str(racer % 2)
    artifact = artifacts.load_local(directory, "shop", f"1.{number}")
    try:
        return "created" if artifacts.push(store, artifact).created else "there"
    except ImmutableVersion:
        return "refused"
