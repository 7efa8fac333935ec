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


class SupervisorPrograms(Service):
    """Programs of one supervisor: names, or `group:*`."""

    def __init__(self, errand: Errand, options: Parameters) -> None:
        self._errand = errand
        self._programs = options.texts("programs")
        self._config = options.text_or_none("config")
        self._server = options.text_or_none("server")
        self._signal = options.text_or_none("signal")
        self.name = f"program {', '.join(self._programs)} of supervisor"
        self.replaces = self._signal is None

    def restart(self) -> None:
        """Take changes of supervisor's configuration in, then restart or signal the programs.

        Raises:
            AgentError: As `Service.restart`.
        """
        before = self.processes()
        groups = sorted({program.partition(":")[0] for program in self._programs})
        self._errand.say(self._ctl("update", *groups).strip())
        self._require_known()
        if self.replaces and before and not before.keys() & self.processes().keys():
            # A change of their configuration has restarted them already.
            return
        words = ("restart",) if self._signal is None else ("signal", self._signal)
        told = self._ctl(*words, *self._programs)
        self._errand.say(told.strip())

    def processes(self) -> dict[int, int]:
        """Return the processes of the programs and what they started; none before all run."""
        lines = list(_LINE.finditer(self._status()))
        if any(line["state"] != "RUNNING" for line in lines):
            return {}
        return with_descendants([int(line["pid"]) for line in lines], process_table())

    def hopeless(self) -> str | None:
        """Return which of the programs has ended, or was given up."""
        for line in _LINE.finditer(self._status()):
            if line["state"] in _HOPELESS:
                return f"{line['name']} is {line['state']} to supervisor"
        return None

    def last_words(self) -> None:
        """Pass on what supervisor says of the programs, and the end of what they said."""
        self._errand.say(self._status().strip())
        for line in _LINE.finditer(self._status()):
            self._errand.say(self._ctl("tail", "-2000", line["name"], "stderr").strip())

    def _require_known(self) -> None:
        told = self._status()
        if "no such process" in told or "no such group" in told or not _LINE.search(told):
            raise self._errand.failed(
                f"{self.name} cannot be found: {told.strip().splitlines()[-1:] or 'no answer'}",
                "Add it to supervisor's configuration; `config` or `server` says which supervisor.",
            )

    def _status(self) -> str:
        return self._ctl("status", *self._programs)

    def _ctl(self, *words: str) -> str:
        argv = ["supervisorctl"]
        if self._config is not None:
            argv += ["-c", self._errand.path(self._config)]
        if self._server is not None:
            argv += ["-s", self._server]
        # Its exit statuses say little and its standard output all.
        return self._errand.ask(["/bin/sh", "-c", '"$@" 2>&1; true', "sh", *argv, *words])
