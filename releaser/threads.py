"""Enough threads for a conversation with each host, before the first one begins."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.releaser.on_each import MOST_THREADS
from castoff.store.errors import UsageError

# Wherever Castoff starts at all, so many can be had.
_FEW = 80
# The terminal, the lease's renewal, notices.
_OTHERS = 16
# Bytes; they only wait.
_STACK = 64 * 1024
# Seconds: until those that were tried have ended, at most, and between two looks.
_PATIENCE = 5.0
_LOOK = 0.005

# As many as were there once.
_tried = [_FEW]


def check_threads(hosts: Sequence[ResolvedHost]) -> None:
    """See that this process may have a thread that waits for each host, and one that hears it.

    What bounds them differs (RLIMIT_NPROC, which counts all that a user runs, `pids.max` of any
    control group around, memory), so it is tried: 0.1 s for a thousand hosts.

    Raises:
        UsageError: It may not.
    """
    needed = len(hosts) + min(len(hosts), MOST_THREADS) + _OTHERS
    if needed <= max(_tried):
        return
    started = _start(needed)
    if started < needed:
        raise UsageError(
            f"{len(hosts)} hosts at once need {needed} threads, and {started} are to be had",
            hint=f"Allow more processes (ulimit -u {needed}; TasksMax= in a unit of systemd; "
            "--pids-limit of a container), or choose fewer hosts with --only.",
        )
    _tried.append(needed)


def _start(count: int) -> int:
    """Start so many threads at once, and end them; return how many could be started.

    `threading.Thread.start` waits until the thread says that it runs, which one without memory
    never does. Nothing here waits for a thread.
    """
    before = _thread._count()  # noqa: SLF001 (`threading` knows only of its own)
    size = threading.stack_size(_STACK)
    gate = _thread.allocate_lock()
    started = 0

    def wait() -> None:
        with gate:
            pass

    gate.acquire()
    try:
        for _ in range(count):
            _thread.start_new_thread(wait, ())
            started += 1
    # "can't start new thread"
    except (RuntimeError, MemoryError):
        pass
    finally:
        gate.release()
        threading.stack_size(size)
    until = time.monotonic() + _PATIENCE
    while _thread._count() > before and time.monotonic() < until:  # noqa: SLF001
        time.sleep(_LOOK)
    return started
