"""Run a command and see what it takes of this machine: time, processor, memory."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAUSE = 0.1


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        started: Monotonic clock.
        seconds: From its start to its end.
        cpu: Seconds of processor time, of it and of all its descendants that it waited for.
        memory: Bytes at the highest, of it and of its descendants together, shared memory counted
            once (PSS, looked at every tenth of a second).
        output: What it printed.
        threads: The most at once, of it and of its descendants together.
        sockets: The most at once, in the same way.
    """

    started: float
    seconds: float
    cpu: float
    memory: int
    output: str
    threads: int = 0
    sockets: int = 0


class TooLong(RuntimeError):
    """A command was ended because it had not ended by itself in time."""


def measure(
    argv: list[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    limit: float | None = None,
) -> Usage:
    """Run a command to its end.

    After `limit` seconds it is killed, with all its descendants.

    Raises:
        TooLong: It took longer.
        RuntimeError: It failed; the message has the end of what it printed.
    """
    with log.open("wb") as output:
        started = time.monotonic()
        process = subprocess.Popen(
            argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        memory = _Memory(process.pid)
        memory.start()
        over = threading.Event()
        end = threading.Timer(limit or 0, _end, (process.pid, over))
        if limit is not None:
            end.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
        finally:
            end.cancel()
            memory.over.set()
            memory.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    said = log.read_text(errors="replace")
    if over.is_set():
        raise TooLong(f"not within {limit:g} s")
    if process.returncode:
        raise RuntimeError(f"{argv[0]} ended with {process.returncode}:\n{said[-3000:]}")
    cpu = used.ru_utime + used.ru_stime
    return Usage(started, seconds, cpu, memory.peak, said, memory.threads, memory.sockets)


def _end(root: int, over: threading.Event) -> None:
    over.set()
    for pid in _with_descendants(root):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class _Memory(threading.Thread):
    def __init__(self, root: int) -> None:
        super().__init__()
        self.over = threading.Event()
        self.peak = 0
        self.threads = 0
        self.sockets = 0
        self._root = root

    def run(self) -> None:
        """Look again and again."""
        while not self.over.wait(_PAUSE):
            processes = _with_descendants(self._root)
            self.peak = max(self.peak, sum(map(_pss, processes)))
            self.threads = max(self.threads, sum(map(_tasks, processes)))
            self.sockets = max(self.sockets, sum(map(_sockets, processes)))


def _with_descendants(root: int) -> list[int]:
    found = [root]
    for pid in found:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def _tasks(pid: int) -> int:
    with suppress(OSError):
        return len(list(Path(f"/proc/{pid}/task").iterdir()))
    return 0


def _sockets(pid: int) -> int:
    found = 0
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found += str(descriptor.readlink()).startswith("socket:")
    return found


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
