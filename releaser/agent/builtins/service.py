"""A service that is restarted: which processes are its own, and how it is told to."""

from __future__ import annotations

from .process_table import command_line, process_table, with_descendants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errand import Errand


class Service:
    """What the ways to restart something have in common.

    Attributes:
        name: What it is, for people.
        replaces: Whether its processes of before must all be gone afterwards.
        stays: Processes for which that does not hold.
    """

    name = ""
    replaces = False
    stays: frozenset[int] = frozenset()

    def restart(self) -> None:
        """Make it run the release that `current` names; it may still be busy with that after.

        Raises:
            AgentError: It cannot be done, or has failed already.
        """
        raise NotImplementedError

    def processes(self) -> dict[int, int]:
        """Return its processes, each with when it was started; none where it does not run."""
        raise NotImplementedError

    def hopeless(self) -> str | None:
        """Return why it will not come up any more, where that is known."""
        return None

    def last_words(self) -> None:
        """Tell the controller what may explain why it did not come up."""


def process_in(errand: Errand, pid_file: str) -> int | None:
    """Return the running process that a file names, or None."""
    text = (errand.read(pid_file) or "").split()
    number = int(text[0]) if text and text[0].isdigit() else 0
    return number if number in process_table() else None


def all_below(process: int | None) -> dict[int, int]:
    """Return a process and all that it started."""
    return {} if process is None else with_descendants([process], process_table())


def is_program(process: int, name: str) -> bool:
    """Whether a process was started as a program of that name, or calls itself so."""
    words = command_line(process)
    return words.startswith(f"{name}: ") or any(
        word.rpartition("/")[2] == name for word in words.split(" ")
    )
