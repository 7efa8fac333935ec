"""Hosts of a fleet as the releaser takes them, without a castoff.toml."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Environment, Host, Limits
from castoff.releaser.fleet import Fleet as Sessions
from castoff.releaser.fleet import Opening
from castoff.releaser.transports.connect import connector
from support.fleet import FleetHost

HOST = ResolvedHost(
    name="web1",
    address="web1",
    roles=(),
    transport="ssh",
    user=None,
    port=None,
    key=None,
    jump=None,
    python=None,
    root="/srv/app",
    env={},
    known_hosts=None,
)


def resolved(host: FleetHost, **changes: Any) -> ResolvedHost:
    """Return a host of a fleet with everything said that castoff.toml would have to say."""
    return replace(
        HOST,
        name=host.name,
        address=host.address,
        user=host.user,
        port=host.port,
        key=host.key_path,
        root=f"{host.root}/app",
        known_hosts=host.known_hosts_path,
        **changes,
    )


def sessions(hosts: Iterable[ResolvedHost], *, lock: bool = False, limit: float = 20) -> Sessions:
    """Return closed sessions with these hosts, as a release or a reader would open them."""
    hosts = tuple(hosts)
    environment = Environment(hosts=(Host(name="any"),), limits=Limits(connect=limit))
    opening = Opening(app="app", token=1 if lock else 0, owner="a test", lock=lock)
    return Sessions(connector(hosts), opening, environment=environment)
