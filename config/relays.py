"""Which hosts carry messages to which others; no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from castoff.config.errors import Misfit
from castoff.config.nearest import nearest

if TYPE_CHECKING:
    from castoff.config.environment_tables import Environment
    from castoff.config.host_tables import Host

NONE = "none"
# Hosts of a zone that are tried as its relay, one after the other.
_MOST_TRIED = 3


def relays_of(env: Environment) -> dict[str, tuple[str, ...]]:
    """Return the names of each host's relays, in the order in which they are tried.

    In a zone a host's relays are those before it, so that the first of a zone is reached directly
    and the second, if that cannot be used, is as well.
    """
    named = {host.relay for host in env.hosts if _has_own(host)}
    before: dict[str, list[str]] = {}
    relays: dict[str, tuple[str, ...]] = {}
    for host in env.hosts:
        relays[host.name] = ()
        if host.relay is not None and _has_own(host):
            relays[host.name] = (host.relay,)
            continue
        if env.fan_out.relay != "zone" or host.zone is None or not _by_ssh(env, host):
            continue
        near = before.setdefault(host.zone, [])
        if host.relay is None and host.name not in named:
            relays[host.name] = tuple(near[:_MOST_TRIED])
        near.append(host.name)
    return relays


def misfits(env: Environment, *, whole: bool) -> Iterator[Misfit]:
    """Yield relays that are none.

    Args:
        env: The environment.
        whole: Whether all its hosts are known.
    """
    known = {host.name: host for host in env.hosts}
    for number, host in enumerate(env.hosts):
        if host.relay is None or not _has_own(host):
            continue
        at = ("hosts", number, "relay")
        relay = known.get(host.relay)
        if relay is None:
            if whole:
                message = f"host {host.name!r} has the relay {host.relay!r}, which is no host"
                yield Misfit(at, message, nearest(host.relay, known))
        elif relay is host:
            yield Misfit(at, f"host {host.name!r} is its own relay")
        elif not _by_ssh(env, host) or not _by_ssh(env, relay):
            message = f"host {host.name!r} and its relay {relay.name!r} must be reached by ssh"
            yield Misfit(at, message)
        elif _has_own(relay):
            message = (
                f"host {host.name!r} has the relay {relay.name!r}, which has one itself: a relay "
                "is reached directly"
            )
            yield Misfit(at, message)


def _has_own(host: Host) -> bool:
    return host.relay is not None and host.relay != NONE


def _by_ssh(env: Environment, host: Host) -> bool:
    return (host.transport or env.transport) == "ssh"
