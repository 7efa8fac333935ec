"""Who holds the host's lock, seen without taking it: a reader must not keep a release out."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_TEXT = 1024
# Number, kind, advice, mode, process, place, start, end.
_FIELDS = 8


def holder(path: str) -> str | None:
    """Return what the holder of a lock file wrote about itself, or None if nobody holds it.

    Reads /proc/locks (proc(5)), which lists the locks of the processes that can be seen from here.
    """
    try:
        status = os.stat(path)
        with open(path, "rb") as file:
            text = file.read(_MOST_TEXT).decode("utf-8", "replace").strip().partition("\n")[0]
    except OSError:
        return None
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    for process, where in _locks():
        place, _, inode = where.rpartition(":")
        if inode != str(status.st_ino):
            continue
        # btrfs shows another device than stat(2) does; there the process must do.
        if place == device or f"process {process})" in text:
            return text or "unknown"
    return None


def _locks() -> Iterator[tuple[str, str]]:
    """Yield process and place, `major:minor:inode`, of each exclusive lock by flock(2)."""
    try:
        with open("/proc/locks", encoding="ascii", errors="replace") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split()
        # Those that wait for a lock have an arrow before the kind.
        if len(fields) == _FIELDS and fields[1] == "FLOCK" and fields[3] == "WRITE":
            yield fields[4], fields[5]
