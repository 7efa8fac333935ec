"""Commands of a migration: some are run, some are asked."""

from __future__ import annotations

from ..command import ending, run_command
from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..messages import Channel
    from .deadline import Deadline

# The end of what a question's command printed that is told if it failed, characters.
_MOST_TOLD = 2000


class Shell:
    """Runs commands of one step in its release, each with what is left of the step's time."""

    def __init__(
        self,
        channel: Channel,
        *,
        folder: str,
        environment: dict[str, str],
        user: str | None,
        deadline: Deadline,
        name: str,
        lock: int,
        umask: str | None,
    ) -> None:
        """Take what all its commands have in common.

        Args:
            channel: Where output goes.
            folder: The release.
            environment: All variables.
            user: Who commands become, if that is somebody else.
            deadline: By when all have to be done.
            name: The step's.
            lock: Descriptor that all inherit.
            umask: For the files that they make; None: as it is.
        """
        self.folder = folder
        self.environment = environment
        self.name = name
        self._channel = channel
        self._user = user
        self._deadline = deadline
        self._lock = lock
        self._before = "" if umask is None else f"umask {umask}\n"

    def say(self, text: str) -> None:
        """Have a line shown among the step's output."""
        self._channel.event("output", self._deadline.at, text=text)

    def run(self, command: str) -> None:
        """Run a command, its output passed on.

        Raises:
            AgentError: `step-failed`, `step-timeout`.
        """
        status = self._run(command, self._channel)
        if status != 0:
            raise AgentError("step-failed", f"step {self.name!r} {ending(status)}")

    def asks(self, command: str) -> bool:
        """Run a command that answers by its status; what it prints is passed on."""
        return self._run(command, self._channel) == 0

    def ask(self, command: str) -> str:
        """Return what a command prints.

        Raises:
            AgentError: `step-failed`, with the end of what it printed; `step-timeout`.
        """
        ear = _Ear()
        status = self._run(command, ear)
        if status != 0:
            self.say("".join(ear.heard)[-_MOST_TOLD:])
            raise AgentError(
                "step-failed", f"step {self.name!r} could not ask what is left: it {ending(status)}"
            )
        return "".join(ear.heard)

    def _run(self, command: str, channel: Any) -> int:
        status = run_command(
            channel,
            self._before + command,
            folder=self.folder,
            environment=self.environment,
            limit=self._deadline.left(),
            user=self._user,
            shares=(self._lock,),
        )
        if status is None:
            self._deadline.left()
            raise ValueError("a command that was ended before its time was up")
        return status


class _Ear:
    """Takes a command's output instead of the controller."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def event(self, _kind: str, _until: float, *, text: str) -> None:
        """Take a piece of output."""
        self.heard.append(text)
