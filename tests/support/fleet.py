"""Real SSH servers to release to: what a test sees of them, however they are run.

As root each host has namespaces of its own (`support.fleet_namespaces`): an address, a name,
processes, `/srv`, `/root`, `/tmp`, and a cable that can be pulled. Otherwise the hosts are plain
servers of the current user on loopback ports (`support.fleet_loopback`), and a test that needs
more than that is skipped.
"""

from __future__ import annotations

import json
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SSHD = "/usr/sbin/sshd"


@dataclass(frozen=True)
class FleetHost(ABC):
    """One server.

    Attributes:
        name: `web1`, `web2`, …; also its host name where it has one of its own.
        root: Folder below which apps may be put; `/srv` where the host has its own.
        key_path: Private key that logs in as `user`.
        known_hosts_path: File with the host keys of the whole fleet.
    """

    name: str
    address: str
    port: int
    user: str
    root: str
    key_path: Path
    known_hosts_path: Path

    @abstractmethod
    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command on the host, without SSH."""

    @abstractmethod
    def path(self, path: str) -> Path:
        """Return where a file of the host is seen from here; also while the host is off.

        Only for what lies below the host's `root`.
        """

    @abstractmethod
    def start(self) -> None:
        """Switch the host on; returns once its SSH server listens."""

    @abstractmethod
    def kill(self) -> None:
        """Power off: all processes end at once and no peer hears of it; the disk stays."""

    @abstractmethod
    def cut(self) -> None:
        """Pull the network cable."""

    @abstractmethod
    def heal(self) -> None:
        """Put the network cable back."""

    @abstractmethod
    def slow(self, rate: str) -> None:
        """Limit what the host receives, in words of tc(8): `2mbit`."""

    @abstractmethod
    def unslow(self) -> None:
        """Take the limit away."""

    @abstractmethod
    def add_user(
        self, name: str, *, login_shell: str = "/bin/sh", password: str = "", sudo: str = ""
    ) -> None:
        """Add a user whose home is `ROOT/home/NAME`, who logs in with the fleet's key.

        `sudo` is the right of a line in sudoers(5), such as `ALL=(app) NOPASSWD: ALL`.
        """

    def read(self, path: str) -> str:
        """Return a text file of the host, below its `root`."""
        return self.path(path).read_text(encoding="utf-8")

    def ssh(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command over the OpenSSH client."""
        options = ["-F", "none", "-i", str(self.key_path), "-p", str(self.port), "-T"]
        for option in (
            "BatchMode=yes",
            "ConnectTimeout=5",
            "GlobalKnownHostsFile=none",
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
            f"UserKnownHostsFile={self.known_hosts_path}",
        ):
            options += ["-o", option]
        return subprocess.run(
            ["ssh", *options, f"{self.user}@{self.address}", command],
            check=check,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )


@dataclass(frozen=True)
class Fleet:
    """Some servers.

    Attributes:
        gateway: Address of this machine as the hosts see it.
        isolated: Whether each host has namespaces of its own.
    """

    hosts: tuple[FleetHost, ...]
    gateway: str
    key_path: Path
    known_hosts: Path
    isolated: bool

    def toml_hosts(self, environment: str, *, extra: str = "") -> str:
        """Return the hosts for a castoff.toml; `extra` is put into each table."""
        return "\n".join(self._toml_host(environment, host, extra) for host in self.hosts)

    @staticmethod
    def _toml_host(environment: str, host: FleetHost, extra: str) -> str:
        facts: Iterable[tuple[str, object]] = (
            ("name", host.name),
            ("address", host.address),
            ("port", host.port),
            ("user", host.user),
            ("key", str(host.key_path)),
            ("root", f"{host.root}/{{app}}"),
        )
        # A JSON string of plain characters is a TOML one as well.
        lines = [f"{key} = {json.dumps(value)}" for key, value in facts]
        return "\n".join([f"[[environments.{environment}.hosts]]", *lines, extra, ""])


def make_key(path: Path) -> str:
    """Write an ed25519 key pair without passphrase; return the public one: type and data."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", str(path)],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return " ".join(path.with_name(path.name + ".pub").read_text().split()[:2])


def write_known_hosts(path: Path, keys: Iterable[tuple[str, int, str]]) -> None:
    """Write address, port and public key of each host as a known_hosts file."""
    lines = [
        f"{address if port == 22 else f'[{address}]:{port}'} {key}\n" for address, port, key in keys
    ]
    path.write_text("".join(lines))
