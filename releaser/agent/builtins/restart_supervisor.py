"""Restart programs of supervisor by `supervisorctl`."""

from __future__ import annotations

import re

from .process_table import process_table, with_descendants
from .service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand

# `group:name   RUNNING   pid 123, uptime 0:00:05`
_LINE = re.compile(r"^(?P<name>\S+)\s+(?P<state>[A-Z]+)\b(?:\s+pid (?P<pid>\d+))?", re.MULTILINE)
_HOPELESS = ("FATAL", "EXITED", "UNKNOWN")
_UNKNOWN = ("no such process", "no such group", "refused connection", "no such file")


class SupervisorPrograms(Service):
    """Programs of one supervisor: names, or `group:*`."""

    def __init__(self, errand: Errand, options: Parameters) -> None:
        self._errand = errand
        self._programs = options.texts("programs")
        self._config = options.text_or_none("config")
        self._server = options.text_or_none("server")
        self._signal = options.text_or_none("signal")
        self._roots: dict[int, int] = {}
        self._told = ""
        self.name = f"program {', '.join(self._programs)} of supervisor"
        self.replaces = self._signal is None

    def restart(self) -> None:
        """Take changes of supervisor's configuration in, then restart or signal the programs.

        Raises:
            AgentError: As `Service.restart`.
        """
        before = set(self._roots)
        groups = sorted({program.partition(":")[0] for program in self._programs})
        self._ctl("update", *groups)
        if self._signal is None and before and self.processes() and not before & set(self._roots):
            # A change of their configuration has restarted them already.
            return
        words = ("restart",) if self._signal is None else ("signal", self._signal)
        told = self._ctl(*words, *self._programs).strip()
        if any(words in told.lower() for words in _UNKNOWN):
            raise self._errand.failed(
                f"{self.name} cannot be found: {told.splitlines()[-1]}",
                "Add it to supervisor's configuration; `config` or `server` says which supervisor.",
            )
        self._errand.say(told)
        self._roots = {}

    def processes(self) -> dict[int, int]:
        """Return the processes of the programs and what they started; none before all run."""
        table = process_table()
        # supervisorctl takes a while, so it is only asked anew when one of them has gone.
        if not self._roots or any(
            number not in table or table[number].started != started
            for number, started in self._roots.items()
        ):
            lines = list(_LINE.finditer(self._status()))
            self._roots = {}
            if all(line["state"] == "RUNNING" for line in lines):
                numbers = [int(line["pid"]) for line in lines]
                table = process_table()
                self._roots = {n: table[n].started for n in numbers if n in table}
        return with_descendants(self._roots, table)

    def hopeless(self) -> str | None:
        """Return which of the programs has ended, or was given up."""
        for line in _LINE.finditer(self._told):
            if line["state"] in _HOPELESS:
                return f"{line['name']} is {line['state']} to supervisor"
        return None

    def last_words(self) -> None:
        """Pass on what supervisor says of the programs, and the end of what they said."""
        self._errand.say(self._status().strip())
        for line in _LINE.finditer(self._told):
            self._errand.say(self._ctl("tail", "-2000", line["name"], "stderr").strip())

    def _status(self) -> str:
        self._told = self._ctl("status", *self._programs)
        return self._told

    def _ctl(self, *words: str) -> str:
        argv = ["supervisorctl"]
        if self._config is not None:
            argv += ["-c", self._errand.path(self._config)]
        if self._server is not None:
            argv += ["-s", self._server]
        # Its exit statuses say little and its standard output all.
        return self._errand.ask(["/bin/sh", "-c", '"$@" 2>&1; true', "sh", *argv, *words])
