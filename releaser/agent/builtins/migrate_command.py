"""Migrations by commands of the project's own."""

from __future__ import annotations

from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .migrate_shell import Shell


class Command:
    """A command that migrates, and maybe one that asks and one that takes back."""

    def __init__(self, options: Parameters, shell: Shell) -> None:
        """Take the step's table."""
        self._shell = shell
        self._command = options.text("command")
        self._check = options.text_or_none("check")
        self._down = options.text_or_none("down")

    def migrate(self) -> None:
        """Run the command."""
        self._shell.run(self._command)

    def left(self) -> list[str] | None:
        """Return what is left as far as can be told; None without a command that asks."""
        if self._check is None:
            return None
        return [] if self._shell.asks(self._check) else ["what `check` misses"]

    def take_back(self, down: Parameters) -> None:
        """Run the command that takes back what another version does not know."""
        if self._down is None:
            raise AgentError("invalid", f"step {self._shell.name!r} has no `down`")
        self._shell.environment["CASTOFF_TO_VERSION"] = down.version("version")
        self._shell.run(self._down)
