"""Let uWSGI reload itself (https://uwsgi-docs.readthedocs.io/en/latest/Management.html).

Its master executes itself anew and reads its configuration again, with the sockets open: what that
configuration names by way of `current` is then the new release's.
"""

from __future__ import annotations

from .pid_file import all_below, own_process_in, process_in
from .service import Service
from .start_service import start_service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand

_GRACEFUL = "r"
# What its program is called: by its authors, by Debian; and what it may call itself
# (`auto-procname`).
_PROGRAMS = ("uwsgi", "uwsgi-core", "uWSGI")


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
        # It executes itself anew.
        self.stays = frozenset([master])
        if self._fifo is not None:
            self._tell(self._errand.path(self._fifo))
        elif self._touch is not None:
            self._errand.touch(self._errand.path(self._touch))
        else:
            self._errand.signal(master, "HUP")

    def processes(self) -> dict[int, int]:
        """Return the master and its workers."""
        return all_below(process_in(self._errand, self._pid_file))

    def _tell(self, fifo: str) -> None:
        try:
            self._errand.write(fifo, _GRACEFUL)
        except OSError as error:
            raise self._errand.failed(
                f"uWSGI does not read {fifo}: {error.strerror}",
                "Set `master-fifo` in its configuration to the step's `fifo`.",
            ) from error
