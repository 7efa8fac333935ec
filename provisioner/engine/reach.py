"""Links to all hosts at once; those that cannot be reached are told of, by Castoff's own words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gevent.pool import Pool

from castoff.provisioner.engine.link import Link, LocalShell, SshShell
from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.route import Hop
from castoff.releaser.transports.ssh import SshTransport


def reach(
    hosts: Iterable[dict[str, Any]], known_hosts: Iterable[str], *, at_once: int, timeout: float
) -> tuple[dict[str, Link], list[HostUnreachable]]:
    """Return the links, by the hosts' names, and why others could not be had.

    Args:
        hosts: As `castoff.provisioner.run` writes them.
        known_hosts: Files of trusted host keys, beside those that hops name.
        at_once: How many hosts are connected to at once.
        timeout: Seconds for each host.
    """
    transport = SshTransport([Path(text) for text in known_hosts])

    def link(host: dict[str, Any]) -> Link | HostUnreachable:
        name, password = str(host["name"]), host["sudo_password"]
        try:
            if not host["hops"]:
                return Link(name, LocalShell(), password)
            hops = [_hop(facts) for facts in host["hops"]]
            shell = SshShell(transport.connect(hops, timeout=timeout))
        except HostUnreachable as error:
            return error
        try:
            return Link(name, shell, password)
        except HostUnreachable as error:
            shell.close()
            return error

    every = list(hosts)
    found = Pool(at_once).map(link, every)
    links = {str(h["name"]): one for h, one in zip(every, found, strict=True)}
    return (
        {name: one for name, one in links.items() if isinstance(one, Link)},
        [one for one in found if isinstance(one, HostUnreachable)],
    )


def _hop(facts: dict[str, Any]) -> Hop:
    return Hop(
        **{
            **facts,
            "keys": tuple(Path(text) for text in facts["keys"]),
            "known_hosts": tuple(Path(text) for text in facts["known_hosts"]),
        }
    )
