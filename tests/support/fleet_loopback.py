"""SSH servers of the current user on loopback ports, for where namespaces cannot be had."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

from support.fleet import SSHD, Fleet, FleetHost, make_key, write_known_hosts

_ADDRESS = "127.0.0.1"
_SSHD_CONFIG = """
ListenAddress {address}:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {authorized}
KbdInteractiveAuthentication no
PasswordAuthentication no
PidFile none
PrintMotd no
StrictModes no
UseDNS no
UsePAM no
"""


def missing() -> str:
    """Return why not even such fleets can run here; empty if they can."""
    absent = [tool for tool in (SSHD, "ssh", "ssh-keygen") if shutil.which(tool) is None]
    return f"not installed: {', '.join(absent)}" if absent else ""


@dataclass(eq=False)
class _Server:
    process: subprocess.Popen[bytes] | None = None


@dataclass(frozen=True)
class LoopbackHost(FleetHost):
    """An SSH server on this very machine."""

    folder: Path
    server: _Server = field(default_factory=_Server, compare=False)

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command here."""
        return subprocess.run(
            ["/bin/sh", "-c", command],
            check=check,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )

    def path(self, path: str) -> Path:
        """Return the path itself."""
        return Path(path)

    def start(self) -> None:
        """Start the server."""
        if os.geteuid() == 0:
            # Debian's service makes it; a server that is started by hand, as root, needs it too.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.folder / "sshd.log").open("ab") as log:
            self.server.process = subprocess.Popen(
                [SSHD, "-D", "-e", "-f", str(self.folder / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection((self.address, self.port)):
                return
            if time.monotonic() > deadline or self.server.process.poll() is not None:
                raise RuntimeError(f"{self.name}: {(self.folder / 'sshd.log').read_text()}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server; no error if none runs."""
        process = self.server.process
        if process is not None:
            process.kill()
            process.wait()
            self.server.process = None

    def kill(self) -> NoReturn:
        """Skip the test."""
        self._needs_namespaces("powered off")

    def cut(self) -> NoReturn:
        """Skip the test."""
        self._needs_namespaces("cut off")

    def heal(self) -> NoReturn:
        """Skip the test."""
        self._needs_namespaces("connected again")

    def slow(self, rate: str) -> NoReturn:
        """Skip the test."""
        self._needs_namespaces(f"slowed down to {rate}")

    def unslow(self) -> NoReturn:
        """Skip the test."""
        self._needs_namespaces("sped up")

    def add_user(
        self, name: str, *, login_shell: str = "/bin/sh", password: str = "", sudo: str = ""
    ) -> NoReturn:
        """Skip the test."""
        del login_shell, password, sudo
        self._needs_namespaces(f"given a user {name}")

    def _needs_namespaces(self, what: str) -> NoReturn:
        pytest.skip(f"a host can be {what} only in namespaces of its own, which needs root")


@contextlib.contextmanager
def fleet_on_loopback(directory: Path, names: Sequence[str], key_path: Path) -> Iterator[Fleet]:
    """Run a fleet; `directory` is empty and becomes its own."""
    known_hosts = directory / "known_hosts"
    hosts = [
        LoopbackHost(
            name=name,
            address=_ADDRESS,
            port=port,
            user=getpass.getuser(),
            root=str(directory / name / "srv"),
            key_path=key_path,
            known_hosts_path=known_hosts,
            folder=directory / name,
        )
        for name, port in zip(names, _free_ports(len(names)), strict=True)
    ]
    keys = [(host.address, host.port, _furnish(host)) for host in hosts]
    write_known_hosts(known_hosts, keys)
    try:
        for host in hosts:
            host.start()
        yield Fleet(tuple(hosts), _ADDRESS, key_path, known_hosts, isolated=False)
    finally:
        for host in hosts:
            host.stop()


def _furnish(host: LoopbackHost) -> str:
    """Write the server's files; return its public host key."""
    Path(host.root).mkdir(parents=True)
    config = _SSHD_CONFIG.format(
        address=host.address,
        port=host.port,
        folder=host.folder,
        authorized=f"{host.key_path}.pub",
    )
    (host.folder / "sshd_config").write_text(config)
    return make_key(host.folder / "host_key")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_ADDRESS, 0))
        return [one.getsockname()[1] for one in sockets]
