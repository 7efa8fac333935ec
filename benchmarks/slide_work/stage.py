"""Hosts that serve version 1: a server on each, and a database on the first."""

from __future__ import annotations

import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from common.hosts import Fleet, FleetHost, fleet, free_ports
from slide_work import database, server
from slide_work.steps import Place

APP = "slides"
# Where each host has an address of its own.
_SERVER_PORT, _DATABASE_PORT = 8100, 8200
# Seconds, of a machine that has much else to do.
_PATIENCE = 60


@dataclass(frozen=True)
class Stage:
    """Hosts and what runs on them.

    Attributes:
        ports: The server's port on each host, by its name.
        scale: Seconds that stand for a second of the slides.
    """

    fleet: Fleet
    ports: dict[str, int]
    database_port: int
    scale: float

    @property
    def hosts(self) -> tuple[FleetHost, ...]:
        """All hosts, the leader first."""
        return self.fleet.hosts

    def place(self, host: FleetHost) -> Place:
        """Return where steps work on a host."""
        return Place(
            app=f"{host.root}/{APP}",
            database=f"{self.hosts[0].address} {self.database_port}",
            pid=f"{host.root}/server.pid",
            scale=self.scale,
        )

    def url(self, host: FleetHost) -> str:
        """Return where a host's server answers."""
        return f"http://{host.address}:{self.ports[host.name]}/"


@contextmanager
def stage(count: int, scale: float) -> Iterator[Stage]:
    """Run hosts whose servers have no code yet."""
    with fleet(count, disk="64m") as hosts:
        names = [host.name for host in hosts.hosts]
        ports = [_SERVER_PORT] * count if hosts.isolated else free_ports(count)
        database_port = _DATABASE_PORT if hosts.isolated else free_ports(1)[0]
        it = Stage(hosts, dict(zip(names, ports, strict=True)), database_port, scale)
        try:
            _start(it)
            yield it
        finally:
            for host in hosts.hosts:
                host.run(f"kill $(cat {host.root}/*.pid)", check=False)


def first_release(it: Stage) -> None:
    """Make version 1 live on every host, without any tool."""
    for host in it.hosts:
        app = it.place(host).app
        host.run(
            f"mkdir -p {app}/releases/1/app && echo 1 > {app}/releases/1/app/version && "
            f"ln -s releases/1 {app}/current && kill -HUP $(cat {host.root}/server.pid)"
        )
    expect(it, "1")


def expect(it: Stage, version: str) -> None:
    """Return when every host serves a version well.

    Raises:
        RuntimeError: It does not within a minute.
    """
    for host in it.hosts:
        _wait(it.url(host), f"version {version},", 200)


def _start(it: Stage) -> None:
    leader = it.hosts[0]
    _spawn(leader, database.__file__, str(it.database_port))
    for host in it.hosts:
        place = it.place(host)
        _spawn(host, server.__file__, f"{place.app} {it.ports[host.name]} {place.database}")
    for host in it.hosts:
        _wait(it.url(host), "version none,", 503)


def _spawn(host: FleetHost, program: str, words: str) -> None:
    """Start a program on a host; its process number goes to `<program>.pid`."""
    name = Path(program).stem
    shutil.copy(program, host.path(host.root) / f"{name}.py")
    host.run(
        f"cd {host.root}; setsid python3 {name}.py {words} "
        f">{name}.log 2>&1 </dev/null & echo $! >{host.root}/{name}.pid"
    )


def _wait(url: str, text: str, status: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        said = _ask(url)
        if said[0] == status and text in said[1]:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{url} says {said}, not {status} with {text!r}")
        time.sleep(0.05)


def _ask(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)
