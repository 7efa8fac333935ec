"""One thing done on many hosts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError

T = TypeVar("T")

# Threads that wait for hosts; the transport has one more for each connection.
MOST_THREADS = 1_024


@dataclass(slots=True)
class Results(Generic[T]):
    """What came of one action: a value or a failure for each host."""

    values: dict[str, T] = field(default_factory=dict)
    failures: list[HostError] = field(default_factory=list)


def on_each(hosts: Iterable[ResolvedHost], action: Callable[[ResolvedHost], T]) -> Results[T]:
    """Do `action` for all hosts at once; return values and failures, in the order of the hosts.

    On an interrupt the hosts that have begun are left to end by themselves.
    """
    wanted = list(hosts)
    results: Results[T] = Results()
    futures: dict[Future[T], str] = {}
    done: dict[str, Future[T]] = {}
    try:
        futures.update((_threads.submit(action, host), host.name) for host in wanted)
        for future in as_completed(futures):
            done[futures[future]] = future
    except BaseException:
        _threads.leave()
        raise
    for host in wanted:
        try:
            results.values[host.name] = done[host.name].result()
        except HostError as failure:
            results.failures.append(failure)
    return results


class _Threads:
    """Threads that outlive an action: to start one takes longer than to flip a host."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    def submit(self, action: Callable[[ResolvedHost], T], host: ResolvedHost) -> Future[T]:
        """Let a thread do the action."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST_THREADS, thread_name_prefix="host")
        return self._pool.submit(action, host)

    def leave(self) -> None:
        """Let those end that are at work, and have others for what comes next."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


_threads = _Threads()
