"""Restart what restarts by itself when a file is touched, or by a command of the user's own."""

from __future__ import annotations

import os

from .evidence import as_handed_on, evidence
from .pid_file import all_below, process_in
from .process_table import command_line, process_table, with_descendants
from .service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand


class Plain(Service):
    """A service that is known by its pid file, by its command line, or by being of this app."""

    def __init__(self, errand: Errand, options: Parameters) -> None:
        self._errand = errand
        self._touch = options.text_or_none("touch")
        self._command = options.text_or_none("command")
        self._pid_file = options.text_or_none("pid_file")
        self._match = options.text_or_none("match")
        self.name = "the app"
        if self._pid_file is not None:
            self.name = f"the service of {self._pid_file}"
        elif self._match is not None:
            self.name = f"the service like {self._match!r}"

    def restart(self) -> None:
        """Touch the file, or run the command.

        Raises:
            AgentError: As `Service.restart`.
        """
        if self._touch is not None:
            self._errand.touch(self._errand.path(self._touch))
        elif self._command is not None:
            release = as_handed_on(self._errand.layout.root, self._errand.version)
            self._errand.command(self._command, CASTOFF_RELEASE=release)

    def processes(self) -> dict[int, int]:
        """Return the processes below that of the pid file, or those of this app that match."""
        if self._pid_file is not None:
            return all_below(process_in(self._errand, self._errand.path(self._pid_file)))
        table = process_table()
        own = _with_ancestors(os.getpid())
        match = self._match or ""
        candidates = [n for n in table if n not in own and match in command_line(n)]
        ask = self._errand.look_into if self._errand.becomes_another and match else None
        seen = evidence(candidates, self._errand.layout, ask)
        roots = [n for n, releases in seen.items() if releases]
        return with_descendants(roots, table)


def _with_ancestors(process: int) -> set[int]:
    """Return the agent and what it runs below: a shell, sshd."""
    table = process_table()
    found: set[int] = set()
    while process in table and process not in found:
        found.add(process)
        process = table[process].parent
    return found
