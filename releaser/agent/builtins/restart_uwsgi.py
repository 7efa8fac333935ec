"""Let uWSGI reload itself (https://uwsgi-docs.readthedocs.io/en/latest/Management.html).

Its master executes itself anew and reads its configuration again, with the sockets open: what that
configuration names by way of `current` is then the new release's.
"""

from __future__ import annotations

import math
import time

from .pid_file import all_below, own_process_in, process_in
from .service import Service
from .start_service import start_service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

    from ..parameters import Parameters
    from .errand import Errand

_GRACEFUL = "r"
# What its program is called: by its authors, by Debian; and what it may call itself
# (`auto-procname`).
_PROGRAMS = ("uwsgi", "uwsgi-core", "uWSGI")
# Seconds: between two looks, and for a master to start a worker.
_LOOK = 0.05
_PATIENCE = 3.0


class Uwsgi(Service):
    """A uWSGI with a master, known by its pid file."""

    replaces = True

    def __init__(self, errand: Errand, options: Parameters) -> None:
        self._errand = errand
        self._pid_file = errand.path(options.text("pid_file"))
        self._fifo = options.text_or_none("fifo")
        self._touch = options.text_or_none("touch")
        self._start = options.text_or_none("start")
        self.name = "uWSGI"

    def restart(self) -> None:
        """Tell the master to reload, by whichever way it was set up for.

        Raises:
            AgentError: As `Service.restart`.
        """
        master = own_process_in(self._errand, self._pid_file, *_PROGRAMS)
        if master is None:
            start_service(self._errand, self.name, self._pid_file, self._start)
            return
        serves = len(self.processes()) > 1
        self._reload(master)
        if not serves and self._start is not None and self._hangs():
            self._errand.say(f"{self.name} starts no worker: ending it, and starting it anew")
            self._errand.signal(master, "KILL")
            self._await(lambda: process_in(self._errand, self._pid_file) is None)
            start_service(self._errand, self.name, self._pid_file, self._start)
            return
        # It executes itself anew.
        self.stays = frozenset([master])

    def _reload(self, master: int) -> None:
        if self._fifo is not None:
            self._tell(self._errand.path(self._fifo))
        elif self._touch is not None:
            self._errand.touch(self._errand.path(self._touch))
        else:
            self._errand.signal(master, "HUP")

    def processes(self) -> dict[int, int]:
        """Return the master and its workers."""
        return all_below(process_in(self._errand, self._pid_file))

    def _hangs(self) -> bool:
        """Whether a master that had no workers still has none after a while.

        It loads the app itself, and hears nothing until that is done: a release whose loading
        never ends could not be left by a reload.
        """
        until = time.monotonic() + _PATIENCE
        return not self._await(lambda: len(self.processes()) > 1, until)

    def _await(self, done: Callable[[], bool], until: float = math.inf) -> bool:
        while not done():
            if time.monotonic() >= until:
                return False
            self._errand.deadline.left()
            self._errand.channel.check(_LOOK)
        return True

    def _tell(self, fifo: str) -> None:
        try:
            self._errand.write(fifo, _GRACEFUL)
        except OSError as error:
            raise self._errand.failed(
                f"uWSGI does not read {fifo}: {error.strerror}",
                "Set `master-fifo` in its configuration to the step's `fifo`.",
            ) from error
