"""Let a gunicorn hand over to one of the new release (https://docs.gunicorn.org/en/stable/signals.html).

HUP makes workers anew from a master of the old release, whose `sys.path` and program stay what they
were. So the master is told to start another one (USR2), which takes over its sockets and is a
program of the new release, and is told to leave (TERM) once that one's workers are up: no
connection is refused in between.
"""

from __future__ import annotations

import os
import time

from ..errors import AgentError
from .pid_file import all_below, is_own, own_process_in, process_in, seen_of
from .process_table import process_table
from .service import Service
from .start_service import start_service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand

_LOOK = 0.05
# Seconds that a new master has for giving its own pid file the old one's name.
_PROMOTION = 5.0
# Seconds that a new master has for writing its pid file.
_BIRTH = 20.0
# Seconds that workers whose heartbeat cannot be seen must live to count as up.
_SETTLED = 2.0
# A worker sets the times of its nameless heartbeat file from a clock that starts with the machine,
# as soon as it has loaded the app: until then they are today's.
_HEARTBEAT = "/wgunicorn-"
_LONG_AGO = 86_400.0


class Gunicorn(Service):
    """A gunicorn that is known by its pid file."""

    replaces = True

    def __init__(self, errand: Errand, options: Parameters) -> None:
        self._errand = errand
        self._pid_file = errand.path(options.text("pid_file"))
        self._start = options.text_or_none("start")
        self.name = "gunicorn"

    def restart(self) -> None:
        """Start the new one by the old one, and tell that to leave.

        Raises:
            AgentError: As `Service.restart`; the old one goes on serving.
        """
        old = self._master()
        if old is None:
            start_service(self._errand, self.name, self._pid_file, self._start)
            return
        new = self._next()
        if new is not None and not self._is_of_release(new):
            # A hand-over that was broken off, to yet another release.
            self._end(new, old)
            new = None
        if new is None:
            self._errand.signal(old, "USR2")
        else:
            self.stays = frozenset(all_below(new))
        try:
            new = self._successor(old)
            self._wait_for_workers(new, old)
        except AgentError:
            self._give_up(old)
            raise
        self._errand.signal(old, "TERM")
        self._wait_for_promotion(new)

    def processes(self) -> dict[int, int]:
        """Return the master, its workers, and a master that is on its way in or out."""
        found = all_below(process_in(self._errand, self._pid_file))
        found.update(all_below(self._next()))
        return found

    def _master(self) -> int | None:
        """Return the master that serves, None if there is none."""
        until = time.monotonic() + _PROMOTION
        while True:
            master = process_in(self._errand, self._pid_file)
            # Its parent may have ended a moment ago: it takes the pid file over.
            if master is not None or self._next() is None:
                break
            if time.monotonic() >= until:
                break
            self._errand.channel.check(_LOOK)
        return own_process_in(self._errand, self._pid_file, self.name)

    def _next(self) -> int | None:
        """Return the master on its way in: a file that was left may name any process by now."""
        new = process_in(self._errand, f"{self._pid_file}.2")
        return new if new is not None and is_own(self._errand, new, self.name) else None

    def _successor(self, old: int) -> int:
        """Wait for the master that an old one was told to start."""
        until = time.monotonic() + _BIRTH
        while True:
            new = self._next()
            if new is not None and new != old:
                return new
            if old not in process_table():
                raise self._errand.failed(f"gunicorn {old} ended when it was told to hand over")
            if time.monotonic() >= until:
                link = self._errand.link
                raise self._errand.failed(
                    f"gunicorn {old} could not start another one, and serves on",
                    f"It must have been started by an absolute path, {link}/bin/gunicorn, and "
                    "with `--pid`; see its error log on the host.",
                )
            self._errand.deadline.left()
            self._errand.channel.check(_LOOK)

    def _wait_for_workers(self, new: int, old: int) -> None:
        """Wait until all workers of a master have loaded the app."""
        since = time.monotonic()
        workers: set[int] = set()
        while True:
            table = process_table()
            if new not in table:
                raise self._ended()
            now = {n for n, process in table.items() if process.parent == new}
            if now != workers:
                since, workers = time.monotonic(), now
            up = [_is_up(number) for number in workers]
            settled = time.monotonic() - since >= _SETTLED
            if workers and all(settled if one is None else one for one in up):
                return
            if old not in table:
                return
            self._errand.deadline.left()
            self._errand.channel.check(_LOOK)

    def _wait_for_promotion(self, new: int) -> None:
        """Wait until the pid file names the new master: then the old one has left."""
        while process_in(self._errand, self._pid_file) != new:
            if new not in process_table():
                raise self._errand.failed("the new gunicorn ended right after the old one")
            if self._errand.deadline.at - time.monotonic() < _LOOK:
                return
            self._errand.channel.check(_LOOK)

    def _give_up(self, old: int) -> None:
        """End a successor that has not come up; the old one serves on."""
        new = self._next()
        if new is not None and old in process_table():
            self._errand.signal(new, "TERM")

    def _end(self, process: int, old: int) -> None:
        self._errand.signal(process, "TERM")
        while process in process_table():
            self._errand.deadline.left()
            self._errand.channel.check(_LOOK)
        if old not in process_table():
            raise self._errand.failed("gunicorn ended while it was taken over")
        # The master looks for children that have ended once a second, and takes no other
        # successor before.
        self._errand.channel.check(1.5)

    def _ended(self) -> AgentError:
        return self._errand.failed(
            "the new gunicorn ended before its workers were up; the old one serves on",
            "See gunicorn's error log on the host for why the app cannot be loaded.",
        )

    def _is_of_release(self, master: int) -> bool:
        seen = seen_of(self._errand, master)
        return seen is not None and set(seen) == {self._errand.version}


def _is_up(worker: int) -> bool | None:
    """Whether a worker has loaded the app; None if that cannot be seen."""
    folder = f"/proc/{worker}/fd"
    beats = []
    try:
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            # It may have inherited those of its siblings.
            if _HEARTBEAT in os.readlink(path):
                times = os.stat(path)
                beats.append(abs(times.st_ctime - times.st_mtime) > _LONG_AGO)
    except OSError:
        return None
    return all(beats) if beats else None
