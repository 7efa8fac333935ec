"""In which groups hosts are flipped; no I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Strategy
from castoff.store.errors import UsageError

Batches = tuple[tuple[ResolvedHost, ...], ...]


def batches(strategy: Strategy, hosts: Sequence[ResolvedHost]) -> Batches:
    """Return the hosts in their groups, each in the order of the file.

    No group is empty; where there are no hosts at all, as for a site alone, there is one group.

    Raises:
        UsageError: The canary names a host or role that is not there.
    """
    if not hosts:
        return ((),)
    if strategy.kind == "rolling":
        size = _size(strategy.batch, len(hosts))
        return tuple(tuple(hosts[at : at + size]) for at in range(0, len(hosts), size))
    if strategy.kind == "canary":
        first = _canaries(strategy.canary, hosts)
        rest = tuple(host for host in hosts if host not in first)
        return (first, rest) if rest else (first,)
    return (tuple(hosts),)


def _size(batch: str, count: int) -> int:
    """Return how many hosts a batch has; a share is rounded up, so that it is never none."""
    if not batch.endswith("%"):
        return int(batch)
    return max(1, math.ceil(count * int(batch[:-1]) / 100))


def _canaries(names: Sequence[str], hosts: Sequence[ResolvedHost]) -> tuple[ResolvedHost, ...]:
    if not names:
        return (hosts[0],)
    for name in names:
        if not any(name == host.name or name in host.roles for host in hosts):
            raise UsageError(
                f"the canary names {name!r}, which is neither a host nor a role here",
                hint="Mend `canary` in [environments.*.strategy].",
            )
    wanted = set(names)
    return tuple(host for host in hosts if host.name in wanted or wanted & set(host.roles))
