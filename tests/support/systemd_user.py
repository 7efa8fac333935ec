"""A systemd of its own for a test: the real manager of a user's units, and `systemctl --user`.

systemd wants to have booted the machine. Where it has not, the manager is shown a folder that says
so, in a mount namespace of its own; nothing outside of that changes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.traps import wait_until

_MANAGER = "/lib/systemd/systemd"
# In control groups of its own: those of two managers in one place would be each other's.
_START = """
for place in /sys/fs/cgroup /sys/fs/cgroup/*/; do
    if [ -e "$place/cgroup.procs" ]; then
        mkdir "$place/$GROUP" && echo $$ >"$place/$GROUP/cgroup.procs"
    fi
done 2>/dev/null
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
exec /lib/systemd/systemd --user --unit=basic.target --log-target=null
"""


class Systemd:
    """A running manager.

    Attributes:
        env: The variable that `systemctl --user` finds it by.
    """

    def __init__(self, folder: Path) -> None:
        self._group = f"test-{os.getpid()}-{time.monotonic_ns()}"
        self._units = folder / "units"
        self._units.mkdir()
        self._runtime = folder / "run"
        self._runtime.mkdir(mode=0o700)
        self.env = {"XDG_RUNTIME_DIR": str(self._runtime)}
        self._started = {
            **os.environ,
            **self.env,
            "SYSTEMD_UNIT_PATH": f"{self._units}:",
            "HOME": str(folder),
            "GROUP": self._group,
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; the caller ends it."""
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _START]
        return subprocess.Popen(command, env=self._started, stderr=subprocess.DEVNULL)

    def ready(self) -> bool:
        """Whether it takes commands."""
        return (self._runtime / "systemd" / "private").exists() and self.ctl("show") != ""

    def remove_groups(self) -> None:
        """Remove the control groups that it has left."""
        for place in Path("/sys/fs/cgroup").glob(f"**/{self._group}"):
            folders = sorted(place.rglob("*/"), reverse=True)
            for folder in (*folders, place):
                if folder.is_dir():
                    with contextlib.suppress(OSError):
                        folder.rmdir()

    def write(self, unit: str, text: str) -> None:
        """Write a unit; systemd is not told."""
        (self._units / unit).write_text(text)

    def ctl(self, *words: str) -> str:
        """Return what systemctl prints."""
        command = ["systemctl", "--user", *words]
        done = subprocess.run(
            command, env={**os.environ, **self.env}, capture_output=True, text=True, check=False
        )
        return done.stdout

    def main(self, unit: str) -> int:
        """Return a unit's first process."""
        return int(self.ctl("show", "--property=MainPID", "--value", unit))


@contextlib.contextmanager
def systemd_user(folder: Path) -> Iterator[Systemd]:
    """Run a manager; skip the test where none can run."""
    if not Path(_MANAGER).exists() or shutil.which("systemctl") is None:
        pytest.skip("systemd is not installed")
    if os.geteuid() != 0:
        pytest.skip("needs root, for a mount namespace")
    manager = Systemd(folder)
    process = manager.start()
    try:
        wait_until(lambda: manager.ready() or process.poll() is not None, "systemd does not come")
        if process.poll() is not None:
            pytest.skip(f"{_MANAGER} --user does not run here (status {process.returncode})")
        yield manager
    finally:
        if process.poll() is None:
            manager.ctl("stop", "--all", "*.service", "*.socket")
            process.terminate()
            process.wait()
        manager.remove_groups()
