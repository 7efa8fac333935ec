"""Places on a host where a run can be caught in the act: held there, or made to fail.

Each step of a trial calls the trap's script with its moment, and so does the interpreter that the
agent is started with. What was ordered for that place and version happens there, once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from support.fleet import FleetHost

_SECONDS = 60.0
_MOMENTS = ("prepare", "backup", "once", "before_activate", "activate", "after_activate")
_PAIRED = ("start_idle", "check_idle")

_SCRIPT = """#!/bin/sh
orders=ROOT/orders
order=$orders/$1-${CASTOFF_VERSION:-any}
[ -s "$order" ] || exit 0
read -r action <"$order"
tail -n +2 "$order" >"$order.rest"
mv "$order.rest" "$order"
case $action in
    fail) echo "ordered to fail at $1"; exit 3 ;;
    nap) sleep 2 ;;
    slow) touch "$orders/reached"; sleep 30 ;;
    hold)
        touch "$orders/reached"
        until [ -e "$orders/go" ]; do sleep 0.02; done ;;
esac
"""

_PYTHON = """#!/bin/sh
ROOT/trap connect || exit 3
exec python3 "$@"
"""


@dataclass(frozen=True)
class Traps:
    """The traps of one host."""

    host: FleetHost

    @property
    def python(self) -> str:
        """Return the interpreter to configure for the host: it passes the place `connect`."""
        return f"{self.host.root}/python"

    def lay(self) -> None:
        """Put the scripts on the host."""
        self._orders.mkdir(exist_ok=True)
        for name, text in (("trap", _SCRIPT), ("python", _PYTHON)):
            path = self.host.path(self.host.root) / name
            path.write_text(text.replace("ROOT", self.host.root))
            path.chmod(0o755)

    def order(self, place: str, *actions: str) -> None:
        """Say what happens at a place when it is passed the first time, and so on.

        Actions are pass, fail, nap, slow and hold. A place is a moment and a version, as in
        `activate-2.0`, or `connect-any`.
        """
        (self._orders / place).write_text("".join(f"{action}\n" for action in actions))

    def wait(self) -> None:
        """Return once somebody is held, or slow."""
        wait_until((self._orders / "reached").exists, "nobody has come to the trap")

    def go(self) -> None:
        """Let go whoever is held; also while the host is off or cut."""
        (self._orders / "go").touch()

    def clear(self) -> None:
        """Forget all orders."""
        for path in self._orders.iterdir():
            # The script may be at work on it.
            path.unlink(missing_ok=True)

    @property
    def _orders(self) -> Path:
        return self.host.path(self.host.root) / "orders"


class Unanswered:
    """The next operation of a host is done, and its answer is held back.

    The agent writes each operation into its journal after it has done it and before it answers:
    here the journal is a pipe that nobody reads.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._kept = journal.with_name("journal.kept")

    def begin(self) -> None:
        """Put the pipe there; the step that is held meanwhile is the last to be answered."""
        self._journal.rename(self._kept)
        os.mkfifo(self._journal)

    def pass_one(self) -> None:
        """Let one operation be answered."""
        with self._journal.open("rb") as pipe:
            pipe.read()

    def end(self) -> None:
        """Let go whoever waits, and put the journal back."""
        with suppress(FileNotFoundError):
            pipe = os.open(self._journal, os.O_RDONLY | os.O_NONBLOCK)
            self._kept.rename(self._journal)
            time.sleep(0.05)
            os.close(pipe)


def steps(environment: str, root: str, *, timeout: float, paired: bool) -> str:
    """Return a step for each moment that passes the trap; `paired` for those of blue-green too."""
    return "".join(
        f"""
[[environments.{environment}.steps]]
name = "{moment.replace("_", "-")}"
moment = "{moment}"
timeout = {timeout}
command = "{root}/trap {moment}"
"""
        for moment in (*_MOMENTS, *(_PAIRED if paired else ()))
    )


def wait_until(condition: Callable[[], bool], otherwise: str) -> None:
    """Return once a condition holds."""
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)
