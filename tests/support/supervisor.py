"""A supervisor of its own for a test, on a unix socket."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.traps import wait_until


class Supervisor:
    """A running supervisord.

    Attributes:
        config: Its configuration, for `supervisorctl -c`.
    """

    def __init__(self, folder: Path) -> None:
        self.config = folder / "supervisord.conf"
        self._folder = folder
        self.write("")

    def write(self, programs: str) -> None:
        """Write its configuration with these programs; supervisor is not told."""
        folder = self._folder
        self.config.write_text(f"""
[supervisord]
nodaemon = true
user = root
directory = {folder}
logfile = {folder}/log
pidfile = {folder}/pid
childlogdir = {folder}
[unix_http_server]
file = {folder}/control
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl = unix://{folder}/control
{programs}
""")

    def ctl(self, *words: str) -> str:
        """Return what supervisorctl prints."""
        command = ["supervisorctl", "-c", str(self.config), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout


@contextlib.contextmanager
def supervisor(folder: Path) -> Iterator[Supervisor]:
    """Run it; skip the test where it is not installed."""
    if shutil.which("supervisord") is None:
        pytest.skip("supervisor is not installed")
    made = Supervisor(folder)
    command = ["supervisord", "-c", str(made.config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until((folder / "control").exists, "supervisor does not start")
        yield made
    finally:
        process.terminate()
        process.wait()
