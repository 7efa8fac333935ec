"""Hosts on which the application's server runs, and what a tool has to know of them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from common.hosts import Fleet, FleetHost, fleet, free_ports
from common.listening import until_it_listens
from release_work import server
from release_work.repository import APP, Repository

_PORT = 8100


R = TypeVar("R", bound=Repository)
R_co = TypeVar("R_co", bound=Repository, covariant=True)


@dataclass(frozen=True)
class Ground(Generic[R_co]):
    """A fleet ready for one tool.

    Attributes:
        folder: Empty, for the tool's own files; also its home.
        ports: The server's port on each host, by its name.
        git_url: Where hosts fetch the project's bare repository from.
    """

    project: R_co
    fleet: Fleet
    folder: Path
    ports: dict[str, int]
    git_url: str

    @property
    def hosts(self) -> tuple[FleetHost, ...]:
        """All hosts."""
        return self.fleet.hosts

    @property
    def ssh_config(self) -> Path:
        """A file for `ssh -F` in which every host's name leads to it."""
        return self.folder / "ssh_config"

    def app(self, host: FleetHost) -> str:
        """Return the app's folder on a host."""
        return f"{host.root}/{APP}"

    def reload(self, host: FleetHost) -> str:
        """Return the command that makes a host's server take the code that is current."""
        return f"kill -HUP $(cat {host.root}/server.pid)"

    def health(self, host: FleetHost, version: str) -> str:
        """Return the command that waits until a host serves a version; at most five seconds."""
        ask = (
            f"curl -fsS http://127.0.0.1:{self.ports[host.name]}/ | grep -q 'version {version}[.]'"
        )
        return f"n=0; until {ask}; do n=$((n+1)); [ $n -lt 50 ] || exit 1; sleep 0.1; done"

    def prune(self, host: FleetHost) -> str:
        """Return the command that leaves of a host's releases the current one alone."""
        return (
            f"cd {self.app(host)}/releases && "
            'ls | grep -vxF "$(basename "$(readlink ../current)")" | xargs -r rm -rf'
        )

    def wait(self, version: str) -> None:
        """Return when every host serves a version.

        Raises:
            RuntimeError: Some does not within ten seconds.
        """
        for host in self.hosts:
            deadline = time.monotonic() + 10
            while (said := self._says(host)) != f"version {version}.\n":
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{host.name} says {said!r}, not version {version}")
                time.sleep(0.05)

    def without(self, version: str) -> list[str]:
        """Return the names of hosts that do not serve a version."""
        return [host.name for host in self.hosts if self._says(host) != f"version {version}.\n"]

    def _says(self, host: FleetHost) -> str:
        return _ask(f"http://{host.address}:{self.ports[host.name]}/")


@contextmanager
def ground(project: R, count: int, folder: Path, *, disk: str = "512m") -> Iterator[Ground[R]]:
    """Run hosts that have nothing yet but a server, and a git server for them."""
    folder.mkdir()
    with fleet(count, disk=disk) as hosts, _git_server(project.git, hosts.gateway) as url:
        alone = hosts.isolated
        ports = [_PORT] * count if alone else free_ports(count)
        names = [host.name for host in hosts.hosts]
        it = Ground(project, hosts, folder, dict(zip(names, ports, strict=True)), url)
        try:
            for host in it.hosts:
                shutil.copy(server.__file__, host.path(host.root) / "server.py")
                host.run(
                    f"cd {host.root}; setsid python3 server.py {it.app(host)} "
                    f"{it.ports[host.name]} >server.log 2>&1 </dev/null & "
                    f"echo $! >{host.root}/server.pid"
                )
                # Fabric puts files by SFTP, which the tests' hosts do not offer.
                host.run(
                    "echo 'Subsystem sftp internal-sftp' >>/etc/ssh/sshd_config; "
                    "kill -HUP $(cat /run/sshd.pid)"
                )
            it.wait("none")
            _write_ssh_config(it)
            yield it
        finally:
            for host in it.hosts:
                host.run(f"kill $(cat {host.root}/server.pid)", check=False)


def _write_ssh_config(it: Ground[Repository]) -> None:
    hosts = "".join(
        f"Host {host.name}\n  HostName {host.address}\n  Port {host.port}\n  User {host.user}\n"
        for host in it.hosts
    )
    it.ssh_config.write_text(
        f"{hosts}Host *\n  IdentityFile {it.fleet.key_path}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {it.fleet.known_hosts}\n  GlobalKnownHostsFile none\n"
        "  BatchMode yes\n  StrictHostKeyChecking yes\n  HashKnownHosts no\n"
    )


@contextmanager
def _git_server(repository: Path, address: str) -> Iterator[str]:
    port = free_ports(1)[0]
    argv = ["git", "daemon", "--export-all", f"--base-path={repository.parent}", "--reuseaddr"]
    # It would turn the thirty-third client away.
    argv += ["--max-connections=0"]
    with subprocess.Popen(
        [*argv, f"--listen={address}", f"--port={port}", str(repository.parent)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            until_it_listens(address, port, "git daemon")
            yield f"git://{address}:{port}/{repository.name}"
        finally:
            # `git` starts the daemon as a child.
            os.killpg(process.pid, signal.SIGTERM)


def _ask(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return str(response.read().decode())
    except OSError as error:
        return str(error)
