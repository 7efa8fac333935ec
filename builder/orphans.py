"""Programs that a build has started end with it, and what they started, even where it is killed.

A program that is killed (SIGKILL, which no program can answer) can end nobody else, and the time
limits of what it waits for are gone with it: a script of npm that only watches would run for ever.
So a small shell beside it reads from a pipe what is running. The kernel closes the pipe at the end
of whoever writes to it, however that comes; then what still runs is ended, with all that it has
started. The kernel's own way, PR_SET_PDEATHSIG, looks at the thread that started a program and not
at the process, has to be asked for between fork and exec, and reaches no grandchild.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from subprocess import Popen, TimeoutExpired
from threading import Lock
from typing import Any

# Each is stopped before its children are looked for, so that it starts no more meanwhile. A group
# has the number of the program that was started as its first; where it has none, nothing happens.
# (No `--` before it: dash takes that for a number, and kills nobody.)
_WATCH = """\
end() {
    kill -STOP "$1"
    for list in /proc/"$1"/task/*/children; do
        children=
        read -r children <"$list"
        for child in $children; do end "$child"; done
    done
    kill -KILL "$1"
    kill -KILL "-$1"
}
running=
while read -r what pid; do
    case $what in
    +) running="$running $pid" ;;
    *)
        [ "$what" = - ] || end "$pid"
        others=
        for one in $running; do [ "$one" = "$pid" ] || others="$others $one"; done
        running=$others
        ;;
    esac
done
for one in $running; do end "$one"; done
"""
# Seconds after which a shell that has been stopped, say, is not waited for.
_PATIENCE = 10
_starting = Lock()
# Where the shell reads from, by the process that started it; None if it could not be started.
_watched: dict[int, int | None] = {}


@contextmanager
def ending_with_us(pid: int) -> Iterator[None]:
    """Have a program end with this process, as long as the block is not left.

    Args:
        pid: The program's, which this process has started.
    """
    _say("+", pid)
    try:
        yield
    finally:
        _say("-", pid)


def end(process: Popen[Any]) -> None:
    """End a program with all that it has started; where there is no shell, the program alone.

    Args:
        process: One of `ending_with_us`.
    """
    try:
        if _say("!", process.pid):
            process.wait(_PATIENCE)
    except TimeoutExpired:
        pass
    finally:
        process.kill()


def _say(what: str, pid: int) -> bool:
    """Tell the shell something; return whether there is one to hear it."""
    with _starting:
        if os.getpid() not in _watched:
            _watched[os.getpid()] = _start()
    pipe = _watched[os.getpid()]
    if pipe is not None:
        # Whoever ends the shell has nothing ended by it.
        with suppress(OSError):
            os.write(pipe, f"{what} {pid}\n".encode())
            return True
    return False


def _start() -> int | None:
    """Start the shell; return the end of a pipe that this process alone has."""
    reading, writing = os.pipe()
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.posix_spawn(
                "/bin/sh",
                ["sh", "-c", _WATCH],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, reading, 0),
                    (os.POSIX_SPAWN_DUP2, nowhere, 1),
                    (os.POSIX_SPAWN_DUP2, nowhere, 2),
                ],
                # What a terminal says to all of a group (Ctrl-C) is not said to it.
                setpgroup=0,
            )
        finally:
            os.close(nowhere)
    except OSError:
        os.close(writing)
        return None
    finally:
        os.close(reading)
    return writing
