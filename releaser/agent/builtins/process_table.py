"""The processes of this host: whose children they are, since when they run (Linux, proc(5))."""

from __future__ import annotations

from ..processes import process_numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Fields of /proc/PID/stat behind the name, which may hold anything and ends at the last ")".
_STATE, _PARENT, _STARTED = 0, 1, 19


class Process:
    """One process.

    Attributes:
        parent: The number of its parent.
        started: When it was started, in the kernel's ticks since boot: with its number this tells
            it from a later process that got the number.
    """

    def __init__(self, parent: int, started: int) -> None:
        self.parent = parent
        self.started = started


def process_table() -> dict[int, Process]:
    """Return all processes by their numbers; not those that have ended and wait to be reaped."""
    table = {}
    for number in process_numbers():
        try:
            with open(f"/proc/{number}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if len(fields) > _STARTED and fields[_STATE] not in (b"Z", b"X"):
            table[number] = Process(int(fields[_PARENT]), int(fields[_STARTED]))
    return table


def with_descendants(roots: Iterable[int], table: dict[int, Process]) -> dict[int, int]:
    """Return those of `roots` that run and all that they started, each with when it was started."""
    children: dict[int, list[int]] = {}
    for number, process in table.items():
        children.setdefault(process.parent, []).append(number)
    found: dict[int, int] = {}
    waiting = [number for number in roots if number in table]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found[number] = table[number].started
            waiting += children.get(number, [])
    return found


def command_line(process: int) -> str:
    """Return the words that a process was started with, empty if it is gone or hidden."""
    try:
        with open(f"/proc/{process}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def short_name(process: int) -> str:
    """Return what the kernel calls a process, empty if it is gone."""
    try:
        with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
