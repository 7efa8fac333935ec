"""`hello-restart`: let the release that `current` points to serve, without losing a request.

If nothing serves yet, gunicorn is started. Otherwise the running master is asked to start a
second one beside it (USR2), which runs `current/bin/gunicorn` again and so the new code, on the
same listening socket. Once a new worker has loaded the application, the old master is told to
leave (TERM), and its workers finish what they have taken. If the new code does not come up, the
old goes on serving and this command fails. The new master has the old one's environment.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TIME_LIMIT = 60.0
PAUSE = 0.05


def main() -> None:
    """Start or replace the server of this host."""
    shared = Path(os.environ["CASTOFF_SHARED"])
    first, second = shared / "hello.pid", shared / "hello.pid.2"
    old, other = _master(first), _master(second)
    if other is not None:  # an earlier restart was interrupted
        if old is None:
            _wait_until_promoted(other, first)
            old = other
        else:
            _leave(second)
    for mark in shared.glob("hello.*.ready"):
        mark.unlink()
    if old is None:
        gunicorn = Path(os.environ["CASTOFF_ROOT"], "current", "bin", "gunicorn")
        command = [gunicorn, "--config", "python:hello.serving", "hello.web:app"]
        # Not in the release's own folder, which a later master would have to return to.
        subprocess.run(command, cwd=shared, check=True)
        print(f"process {_wait_until_ready(shared, first)} serves")
        return
    os.kill(old, signal.SIGUSR2)
    new = _wait_until_ready(shared, second)
    _leave(first)
    _wait_until_promoted(new, first)
    print(f"process {new} has taken over from {old}")


def _master(pidfile: Path) -> int | None:
    """Return the number of the gunicorn that a file names, if it is alive."""
    try:
        number = int(pidfile.read_text())
        command = Path(f"/proc/{number}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return number if b"gunicorn" in command else None


def _leave(pidfile: Path) -> None:
    """Tell a master to leave, and wait until it and its workers have finished."""
    number = _master(pidfile)
    if number is None:
        return
    os.kill(number, signal.SIGTERM)
    deadline = time.monotonic() + TIME_LIMIT
    while Path(f"/proc/{number}").exists():
        if time.monotonic() > deadline:
            sys.exit(f"process {number} does not leave")
        time.sleep(PAUSE)


def _wait_until_ready(shared: Path, pidfile: Path) -> int:
    """Return the number of a new master once a worker of it has loaded the application."""
    deadline = time.monotonic() + TIME_LIMIT
    seen = None
    while time.monotonic() < deadline:
        number = _master(pidfile)
        if number is not None and (shared / f"hello.{number}.ready").exists():
            return number
        if seen is not None and number is None:
            break
        seen = number
        time.sleep(PAUSE)
    sys.exit(f"the new code did not come up: see {shared / 'hello.log'}")


def _wait_until_promoted(number: int, pidfile: Path) -> None:
    """Wait until a second master has found that it is the only one, and taken over the file."""
    deadline = time.monotonic() + TIME_LIMIT
    while _master(pidfile) != number:
        if time.monotonic() > deadline:
            sys.exit(f"process {number} does not take over")
        time.sleep(PAUSE)
