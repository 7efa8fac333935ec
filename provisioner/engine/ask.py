"""What a host says of itself, asked by commands that change nothing."""

from __future__ import annotations

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import OperationError
from pyinfra.context import host


def ask(command: str) -> list[str]:
    """Return the lines that a command prints on the host in question.

    Raises:
        OperationError: It fails; a question that may have no answer ends in `|| true`.
    """
    done, output = host.run_shell_command(StringCommand(command))
    if not done:
        raise OperationError(" / ".join(output.stderr_lines[-3:]) or f"failed: {command}")
    return [str(line) for line in output.stdout_lines]


def holds(condition: str) -> bool:
    """Return whether a condition of sh is true on the host in question.

    Raises:
        OperationError: The host does not answer.
    """
    return ask(f"if {condition}; then echo yes; fi") == ["yes"]


# As sd_booted(3): a system whose first process is systemd.
BOOTED = "[ -d /run/systemd/system ]"
