"""The process that a service's pid file names, which may be anybody's once the service has gone."""

from __future__ import annotations

from .evidence import evidence
from .process_table import command_line, process_table, with_descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errand import Errand


def process_in(errand: Errand, pid_file: str) -> int | None:
    """Return the running process that a file names, or None."""
    text = (errand.read(pid_file) or "").split()
    number = int(text[0]) if text and text[0].isdigit() else 0
    return number if number in process_table() else None


def own_process_in(errand: Errand, pid_file: str, *programs: str) -> int | None:
    """Return the running process that a file names, or None.

    Args:
        errand: The step.
        pid_file: The file.
        programs: What the service's program may be called.

    Raises:
        AgentError: `step-failed`: a file that was left behind names a process of somebody else.
    """
    process = process_in(errand, pid_file)
    if process is not None and not is_own(errand, process, *programs):
        raise errand.failed(
            f"{pid_file} names process {process}, which is no {programs[0]} of this app",
            f"Remove that file if {programs[0]} does not run, or mend the step's `pid_file`.",
        )
    return process


def is_own(errand: Errand, process: int, *programs: str) -> bool:
    """Whether a process runs one of some programs, or runs from a release of the app."""
    return any(_is_program(process, name) for name in programs) or seen_of(errand, process) != {}


def seen_of(errand: Errand, process: int) -> dict[str, str] | None:
    """Return what shows a process to be of which releases; None if that cannot be seen."""
    ask = errand.look_into if errand.becomes_another else None
    return evidence([process], errand.layout, ask).get(process)


def all_below(process: int | None) -> dict[int, int]:
    """Return a process and all that it started."""
    return {} if process is None else with_descendants([process], process_table())


def _is_program(process: int, name: str) -> bool:
    """Whether a process was started as a program of that name, or calls itself so."""
    first, *others = command_line(process).split(" ")
    words = [first, *others] if _base(first).startswith("python") else [first]
    return first == f"{name}:" or any(_base(word) == name for word in words)


def _base(word: str) -> str:
    return word.rpartition("/")[2]
