"""Hosts as a command of the user's prints them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

from castoff.releaser.errors import HostsUnknown

_LAST_LINES = 5


def ask_command(command: str, folder: Path, *, limit: float) -> object:
    """Run a command and return the JSON that it prints.

    Args:
        command: Run by /bin/sh -c as it stands: nothing is put into it.
        folder: Where it runs.
        limit: Seconds.

    Raises:
        HostsUnknown: It fails, does not end in time, or prints something else.
    """
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A process group of its own, which ends as a whole when the time is up.
        start_new_session=True,
    )
    try:
        printed, complaints = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired as error:
        raise HostsUnknown(
            f"hosts_from's command did not end within {limit:g} s",
            hint="See what keeps it, or raise `timeout` in [environments.NAME.hosts_from].",
        ) from error
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode != 0:
        last = complaints.decode(errors="replace").splitlines()[-_LAST_LINES:]
        raise HostsUnknown(
            f"hosts_from's command ended with status {process.returncode}: {' / '.join(last)}",
            hint=f"Run it by hand in {folder}.",
        )
    try:
        return json.loads(printed)
    except ValueError as error:
        start = printed[:60].decode(errors="replace")
        raise HostsUnknown(
            f"hosts_from's command does not print JSON ({error}): {start!r}",
            hint='It has to print a list such as [{"name": "web1", "address": "192.0.2.1"}].',
        ) from error
