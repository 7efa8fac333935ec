"""Start a service that does not run, for whoever restarts it by its pid file."""

from __future__ import annotations

from .pid_file import process_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errand import Errand

_LOOK = 0.05
# What a step of one release has in its variables, and a process that outlives it must not.
_OF_ONE_RELEASE = ("CASTOFF_RELEASE", "CASTOFF_VERSION")


def start_service(errand: Errand, name: str, pid_file: str, command: str | None) -> None:
    """Run a command that starts a service, and wait until it has written its pid file.

    The command runs in `current`, or in the folder of its colour, by the link's own name, so that
    what the service executes later is what is current then.

    Raises:
        AgentError: `step-failed`: there is no command, or it failed. `step-timeout`.
    """
    if command is None:
        raise errand.failed(
            f"{name} does not run: {pid_file} names no process",
            "Start it, or tell the step how to (`start`).",
        )
    errand.say(f"{name} does not run: starting it")
    errand.command(command, folder=errand.link, without=_OF_ONE_RELEASE)
    while process_in(errand, pid_file) is None:
        errand.deadline.left()
        errand.channel.check(_LOOK)
