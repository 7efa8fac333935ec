"""One site of fake hosts twice: once each by a connection of its own, once by relays."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.hosts import FleetHost, scratch
from support.fake_sshd import MOST_HOSTS, FakeServer, fake_sshd
from support.fleet import make_key
from support.fleet_loopback import fleet_on_loopback
from support.tiny_artifact import write_artifact

VERSIONS = ("1.0", "2.0", "3.0")
# By the name of its environment: what `fan_out.relay` is.
WAYS = {"direct": "none", "relayed": "zone"}


@dataclass(frozen=True)
class Ground:
    """A project whose environments are the ways."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the command line."""
        return {**os.environ, "CI": "true", "HOME": str(self.folder)}


@contextmanager
def zoned(hosts: int, zones: int) -> Iterator[Ground]:
    """Run so many hosts in so many zones; the first of each zone is a real server."""
    with scratch() as folder:
        key = folder / "id_ed25519"
        make_key(key)
        host_key = make_key(folder / "host_key")
        real = folder / "real"
        real.mkdir()
        names = [f"relay{zone + 1}" for zone in range(zones)]
        servers = math.ceil(len(WAYS) * hosts / MOST_HOSTS)
        with (
            fleet_on_loopback(real, names, key) as relays,
            fake_sshd(folder, key, servers=servers) as fakes,
        ):
            known = folder / "known_hosts"
            lines = relays.known_hosts.read_text()
            lines += "".join(f"[127.0.0.1]:{one.port} {host_key}\n" for one in fakes)
            known.write_text(lines)
            yield _project(folder, known, relays.hosts, fakes, hosts)


def _project(
    folder: Path,
    known: Path,
    relays: Sequence[FleetHost],
    fakes: Sequence[FakeServer],
    hosts: int,
) -> Ground:
    project = folder / "project"
    project.mkdir()
    for version in VERSIONS:
        content = f"print({version!r})\n".encode() * 100
        write_artifact(project / "artifacts", version, content=content)
    parts = ["[apps.shop]"]
    for way, relay in WAYS.items():
        parts += [
            f"[environments.{way}]",
            f"known_hosts = {json.dumps(str(known))}",
            "limits = { connect = 120, answer = 120 }",
            f'fan_out = {{ relay = "{relay}" }}',
        ]
        for number in range(hosts):
            zone = number % len(relays)
            first = number < len(relays)
            port = relays[zone].port if first else fakes[number % len(fakes)].port
            row = {
                "name": f"web{number + 1}",
                "address": "127.0.0.1",
                "port": port,
                "user": relays[zone].user,
                "zone": f"zone{zone + 1}",
                "key": str(folder / "id_ed25519"),
                "root": f"{folder}/{way}/{number + 1}/{{app}}",
            }
            parts.append(f"[[environments.{way}.hosts]]")
            parts += [f"{name} = {json.dumps(value)}" for name, value in row.items()]
    (project / "castoff.toml").write_text("\n".join([*parts, ""]))
    return Ground(project)
