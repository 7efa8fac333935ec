"""One SSH connection a host, kept open from its first command to its last, as Fabric keeps it."""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path

from common.hosts import FleetHost


class Connections:
    """Connections of the OpenSSH client, one master process a host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        for name in self._open:
            argv = ["ssh", "-S", str(self._folder / name), "-O", "exit", "host"]
            subprocess.run(argv, check=False, capture_output=True)

    def run(self, host: FleetHost, command: str) -> None:
        """Run a shell command on a host.

        Raises:
            RuntimeError: It failed.
        """
        with self._locks.setdefault(host.name, threading.Lock()):
            if host.name not in self._open:
                self._connect(host)
        done = subprocess.run(
            ["ssh", "-F", "none", "-S", str(self._folder / host.name), "host", command],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RuntimeError(f"{host.name}: {command}: {done.stderr.strip()}")

    def _connect(self, host: FleetHost) -> None:
        argv = ["ssh", "-F", "none", "-M", "-N", "-f", "-S", str(self._folder / host.name)]
        argv += ["-i", str(host.key_path), "-p", str(host.port)]
        for option in (
            "BatchMode=yes",
            "GlobalKnownHostsFile=none",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={host.known_hosts_path}",
        ):
            argv += ["-o", option]
        # The master stays behind and would hold any pipe of ours open.
        quiet = subprocess.DEVNULL
        subprocess.run(
            [*argv, f"{host.user}@{host.address}"],
            check=True,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        )
        self._open.add(host.name)
