"""A small artifact, and any number of hosts for it: real SSH servers, or fake ones."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.hosts import fleet, scratch
from support.fake_sshd import MOST_HOSTS, FakeServer, fake_sshd
from support.fleet import make_key, write_known_hosts
from support.tiny_artifact import write_artifact

VERSIONS = ("1.0", "2.0", "3.0")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ground:
    """A project with hosts.

    Attributes:
        folder: The project's; castoff.toml is there.
        servers: The processes of fake hosts; none where hosts are real.
    """

    folder: Path
    hosts: int
    servers: tuple[FakeServer, ...]

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the command line."""
        return {**os.environ, "CI": "true", "HOME": str(self.folder)}

    def hosts_cpu(self) -> float:
        """Return seconds of processor time that fake hosts have taken so far."""
        return sum(_cpu(server.pid) for server in self.servers)


@contextmanager
def fakes(count: int) -> Iterator[Ground]:
    """Run fake hosts: real SSH, the real agent's code, a folder each; see `support.fake_sshd`."""
    with scratch() as folder:
        key = folder / "id_ed25519"
        make_key(key)
        host_key = make_key(folder / "host_key")
        with fake_sshd(folder, key, servers=math.ceil(count / MOST_HOSTS)) as servers:
            known = folder / "known_hosts"
            write_known_hosts(known, [("127.0.0.1", one.port, host_key) for one in servers])
            rows = (
                {
                    "name": f"web{number + 1}",
                    "address": "127.0.0.1",
                    "port": servers[number // MOST_HOSTS].port,
                    "user": "root",
                    "key": str(key),
                    "root": f"{folder}/hosts/{number + 1}/{{app}}",
                }
                for number in range(count)
            )
            tables = "\n".join(
                "\n".join(
                    [
                        "[[environments.production.hosts]]",
                        *(f"{name} = {json.dumps(value)}" for name, value in row.items()),
                    ]
                )
                for row in rows
            )
            yield _project(folder, known, tables, count, tuple(servers))


@contextmanager
def real(count: int) -> Iterator[Ground]:
    """Run real hosts."""
    with scratch() as folder, fleet(count, disk="64m") as hosts:
        tables = hosts.toml_hosts("production")
        yield _project(folder, hosts.known_hosts, tables, count, ())


def _project(
    folder: Path, known: Path, tables: str, count: int, servers: tuple[FakeServer, ...]
) -> Ground:
    project = folder / "project"
    project.mkdir()
    for version in VERSIONS:
        content = f"print({version!r})\n".encode() * 100
        write_artifact(project / "artifacts", version, content=content)
    (project / "castoff.toml").write_text(
        "[apps.shop]\n[environments.production]\n"
        f"known_hosts = {json.dumps(str(known))}\n{tables}\n"
    )
    return Ground(project, count, servers)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
