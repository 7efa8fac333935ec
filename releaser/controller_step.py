"""A step's command on the machine that releases, on behalf of one host."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from castoff.releaser.errors import HostError

# Seconds that the output of a command that has ended is still heard.
_ECHO = 1.0


def run_here(
    host: str,
    name: str,
    command: str,
    *,
    folder: Path | None,
    variables: Mapping[str, str],
    limit: float,
    say: Callable[[str], None],
) -> None:
    """Run a command to its end or its time limit, its output passed on line by line.

    Args:
        host: The host's name, for what is said of a failure.
        name: The step's name.
        command: Run by /bin/sh -c as it stands: nothing is put into it.
        folder: Where it runs; None for the current directory.
        variables: What it has beside the variables of this process, among which are the
            credentials that such a command needs.
        limit: Seconds.
        say: Called with each line, from another thread.

    Raises:
        HostError: `step-failed` or `step-timeout`.
    """
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
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
        status = process.wait(limit)
    except subprocess.TimeoutExpired as error:
        raise HostError(
            host,
            f"step {name!r} did not end within {limit:g} s on the machine that releases",
            code="step-timeout",
            hint="Raise its `timeout`, or see in its output what it waited for.",
        ) from error
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join(_ECHO)
    if status != 0:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        raise HostError(
            host, f"step {name!r} {how} on the machine that releases", code="step-failed"
        )


def _pass_on(pipe: IO[str] | None, say: Callable[[str], None]) -> None:
    if pipe is None:
        return
    with pipe:
        for line in pipe:
            say(line.rstrip("\n"))
