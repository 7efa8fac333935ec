"""Hosts that are near each other fetch from each other: who from whom, and for how long."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import Results, on_each
from castoff.releaser.patches import Patches
from castoff.releaser.replies import Nothing, Offered
from castoff.releaser.session import Asked
from castoff.releaser.watch import Watch

# Of the hosts before it, a host asks so many: the first of a zone lack the most, so have the most.
_MOST_PEERS = 3
# Bytes.
_TOKEN = 32


@dataclass(frozen=True, slots=True)
class Peers:
    """The endpoints of one prepare.

    Attributes:
        sources: For each host, by name, where it asks before it asks the store.
        patches: In the same way, where it asks for its patch.
        offering: Hosts with an endpoint.
    """

    sources: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    patches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    offering: tuple[ResolvedHost, ...] = ()

    def of(self, host: ResolvedHost) -> list[dict[str, Any]]:
        """Return the `sources` of a prepare request that are other hosts."""
        return self.sources.get(host.name, [])

    def of_patch(self, host: ResolvedHost) -> list[dict[str, Any]]:
        """Return those of the `sources` of its patch that are other hosts."""
        return self.patches.get(host.name, [])

    def withdraw(self, job: Job, fleet: Fleet, prepared: Iterable[str]) -> None:
        """End the endpoints of hosts that are prepared; others end theirs by themselves."""
        names = set(prepared).intersection(fleet.sessions)
        asked = Asked(timeout=job.environment.limits.answer)
        on_each(
            [host for host in self.offering if host.name in names],
            lambda host: fleet.sessions[host.name].ask(Nothing, "withdraw", asked),
        )


def find_peers(job: Job, fleet: Fleet, patches: Patches, watch: Watch) -> Peers:
    """Let hosts that lack the version offer what they will have to those near them.

    A host asks only hosts that come before it, so that none ever waits for another that waits for
    it. Those that have nothing yet come first: what they fetch is what the others may lack. A host
    that cannot offer anything is told of, and no matter.
    """
    if not job.environment.transfer.peers:
        return Peers()
    zones = list(_zones(job, fleet))
    token = secrets.token_hex(_TOKEN)
    wanted = {
        host.name: offer.sha256
        for zone in zones
        for host in zone
        if (offer := patches.offer(fleet.opened[host.name].state)) is not None
    }
    results = on_each(
        [host for zone in zones for host in zone[:-1]],
        lambda host: _offer(job, fleet, host, token, wanted.get(host.name)),
    )
    for failure in results.failures:
        watch.note(f"{failure.host} serves no other hosts: {failure.detail}")
    sources = {
        host.name: _sources(zone[:number], results, token)
        for zone in zones
        for number, host in enumerate(zone)
    }
    patched = {
        host.name: _sources(
            [one for one in zone[:number] if wanted.get(one.name) == patch],
            results,
            token,
            patch=patch,
        )
        for zone in zones
        for number, host in enumerate(zone)
        if (patch := wanted.get(host.name)) is not None
    }
    offering = tuple(host for zone in zones for host in zone if host.name in results.values)
    return Peers(sources, patched, offering)


def _zones(job: Job, fleet: Fleet) -> Iterator[list[ResolvedHost]]:
    """Yield the hosts of each zone that lack the version, where there are several."""
    zones: dict[str, list[ResolvedHost]] = {}
    for host in job.hosts:
        opened = fleet.opened.get(host.name)
        if host.zone is None or opened is None or job.version in opened.state.releases:
            continue
        zones.setdefault(host.zone, []).append(host)
    for zone in zones.values():
        if len(zone) > 1:
            yield sorted(zone, key=lambda host: bool(fleet.opened[host.name].state.releases))


def _offer(job: Job, fleet: Fleet, host: ResolvedHost, token: str, patch: str | None) -> Offered:
    local = host.transport == "local"
    return fleet.sessions[host.name].ask(
        Offered,
        "offer",
        Asked(timeout=job.within(host.name, job.environment.limits.answer)),
        token=token,
        patch=patch,
        address="127.0.0.1" if local else None,
        fallback=host.address,
        port=0 if local else job.environment.transfer.peer_port,
        seconds=job.environment.limits.prepare,
    )


def _sources(
    before: list[ResolvedHost], offered: Results[Offered], token: str, **more: str
) -> list[dict[str, Any]]:
    places = ((host.name, offered.values.get(host.name)) for host in before)
    return [
        {
            "kind": "peer",
            "name": name,
            "token": token,
            "address": place.address,
            "port": place.port,
            **more,
        }
        for name, place in places
        if place is not None
    ][:_MOST_PEERS]
