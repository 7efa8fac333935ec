"""A command on the machine that releases: a step on behalf of one host, or a gate."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from castoff.releaser.errors import HostError

# Seconds that the output of a command that has ended is still heard.
_ECHO = 1.0
# Seconds that a command which is to stop has for tidying up after itself.
_GRACE = 3.0
# Seconds between two looks at whether it has ended, or is to.
_LOOK = 0.1


class OutOfTime(Exception):
    """A command did not end in time, and was ended."""


class Stopped(Exception):
    """Nobody waits for a command any more, and it was ended."""


def run_here(
    host: str,
    name: str,
    command: str,
    *,
    folder: Path | None,
    variables: Mapping[str, str],
    limit: float,
    say: Callable[[str], None],
    stopped: threading.Event | None = None,
) -> None:
    """Run a step's command to its end or its time limit, its output passed on line by line.

    Args:
        host: The host's name, for what is said of a failure.
        name: The step's name.
        command: As `run_command`, like all that follows.
        folder: See there.
        variables: See there.
        limit: See there.
        say: See there.
        stopped: See there.

    Raises:
        HostError: `step-failed` or `step-timeout`.
    """
    try:
        status = run_command(
            command, folder=folder, variables=variables, limit=limit, say=say, stopped=stopped
        )
    except OutOfTime as error:
        raise HostError(
            host,
            f"step {name!r} did not end within {limit:g} s on the machine that releases",
            code="step-timeout",
            hint="Raise its `timeout`, or see in its output what it waited for.",
        ) from error
    except Stopped as error:
        raise HostError(
            host, f"step {name!r} was interrupted on the machine that releases", code="step-failed"
        ) from error
    if status != 0:
        raise HostError(
            host,
            f"step {name!r} {how_it_ended(status)} on the machine that releases",
            code="step-failed",
        )


def how_it_ended(status: int) -> str:
    """Return what a status that `run_command` has returned means, for a sentence about it."""
    return f"ended with status {status}" if status >= 0 else f"was ended by signal {-status}"


def run_command(
    command: str,
    *,
    folder: Path | None,
    variables: Mapping[str, str],
    limit: float,
    say: Callable[[str], None],
    stopped: threading.Event | None = None,
    given: str = "",
) -> int:
    """Run a command to its end; return its status, negative for the signal that ended it.

    When its time is up or it is interrupted, it is asked to end with all that it has started, and
    made to a moment later.

    Args:
        command: Run by /bin/sh -c as it stands: nothing is put into it.
        folder: Where it runs; None for the current directory.
        variables: What it has beside the variables of this process, among which are the
            credentials that such a command needs.
        limit: Seconds.
        say: Called with each line, from another thread.
        stopped: Set once nobody waits any more; None where the caller alone is interrupted.
        given: What it reads from standard input.

    Raises:
        OutOfTime: It did not end in time.
        Stopped: `stopped` was set.
    """
    # A file, which never waits for the command to read on; empty it is what /dev/null is.
    with tempfile.TemporaryFile() as file:
        file.write(given.encode())
        file.seek(0)
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=folder,
            env={**os.environ, **variables},
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # A process group of its own, which ends as a whole when the time is up.
            start_new_session=True,
        )
    reader = threading.Thread(target=_pass_on, args=(process.stdout, say), daemon=True)
    reader.start()
    try:
        return _wait(process, limit, stopped)
    finally:
        if process.poll() is None:
            _end(process)
        reader.join(_ECHO)


def _wait(process: subprocess.Popen[str], limit: float, stopped: threading.Event | None) -> int:
    until = time.monotonic() + limit
    while True:
        left = until - time.monotonic()
        try:
            return process.wait(max(0.0, min(left, _LOOK)))
        except subprocess.TimeoutExpired as error:
            if left <= 0:
                raise OutOfTime from error
        if stopped is not None and stopped.is_set():
            raise Stopped


def _end(process: subprocess.Popen[str]) -> None:
    """End a command's whole group: first it is asked to, then it is not."""
    until = time.monotonic() + _GRACE
    # Once no process of the group is left, there is nobody to send to.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        while time.monotonic() < until:
            process.poll()
            os.killpg(process.pid, 0)
            time.sleep(_LOOK)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _pass_on(pipe: IO[str] | None, say: Callable[[str], None]) -> None:
    if pipe is None:
        return
    with pipe:
        for line in pipe:
            say(line.rstrip("\n"))
