"""Which process holds a lease, in a way that another on the same machine can check later."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from castoff.store.document import StoredDocument

_PROC = Path("/proc")


class Process(StoredDocument):
    """A process of one boot of one machine; empty fields where there is no /proc.

    Attributes:
        pid: Its number.
        started: When it began, in clock ticks since the boot: the 22nd field of
            /proc/PID/stat (proc(5)). A later process with the same number has another.
        boot: The machine's boot, from /proc/sys/kernel/random/boot_id.
        namespace: Whose numbers `pid` is one of: containers count for themselves.
    """

    pid: Annotated[int, Field(ge=1)]
    started: str
    boot: str
    namespace: str

    def is_dead(self) -> bool:
        """Return whether it has surely ended; False where this machine cannot tell."""
        if not self.boot or not self.started or (self.boot, self.namespace) != _here():
            return False
        started = _started(self.pid)
        # /proc may hide what belongs to others (its mount option hidepid); kill(2) does not.
        return started != self.started and (bool(started) or not _exists(self.pid))


def this_process() -> Process:
    """Return the one that runs this."""
    boot, namespace = _here()
    return Process(pid=os.getpid(), started=_started(os.getpid()), boot=boot, namespace=namespace)


def _here() -> tuple[str, str]:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return boot, str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return "", ""


def _started(pid: int) -> str:
    """Return a process's start, `ended` for a zombie, or nothing if there is none to be seen."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return ""
    # The second field is the program's name in brackets, and may hold brackets and spaces.
    fields = text.rpartition(")")[2].split()
    return "ended" if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
