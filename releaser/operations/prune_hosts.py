"""Remove old releases from hosts because somebody asks for it, whatever room is left there."""

from __future__ import annotations

import time
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.releaser.agent.prune import TOLD
from castoff.releaser.errors import PruneFailed
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.on_each import Results, on_each
from castoff.releaser.record import on_record, previous_good
from castoff.releaser.replies import Pruned
from castoff.releaser.session import Asked
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import history, lease, run_document
from castoff.store.counted import counted
from castoff.store.deed import DeedDraft, PrunedRow
from castoff.store.pins import pinned

_LIMIT = 600.0


@dataclass(frozen=True, slots=True)
class HostPruned:
    """One host.

    Attributes:
        removed: Versions that went, or would.
        kept: Why each of the others stays, by version.
        freed: Bytes of disk.
        trouble: Why nothing was done there, or None.
    """

    name: str
    removed: tuple[str, ...] = ()
    kept: dict[str, str] | None = None
    freed: int = 0
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Pruning:
    """What came of it; `failure` is None where every host was pruned."""

    hosts: tuple[HostPruned, ...]
    failure: PruneFailed | None


def look_at_prunable(scope: Scope, *, keep: int, connect: Connect | None = None) -> Pruning:
    """Return what `prune_hosts` would do, having changed and locked nothing.

    Raises:
        StoreError: The store cannot be read.
    """
    return _pruning(scope, _on_hosts(scope, Opening(app=scope.app), "prunable", keep, connect))


def prune_hosts(scope: Scope, *, keep: int, connect: Connect | None = None) -> Pruning:
    """Keep so many good releases on each host, remove the others, and note it in the history.

    What stays in any case: what a host serves, last called good and called good before that; what
    a process uses; what is pinned; what the environment has on record, would roll back to, or has
    been left in the middle of. Nothing has to be written on a host before there is room again. A
    freeze does not hinder it, since what is served stays as it is.

    Raises:
        Locked: Somebody is at work on the environment.
        StoreError: The store cannot be read or written.
    """
    held = (scope.store, scope.app, scope.environment_name)
    ttl = scope.environment.limits.lease
    with lease.held(*held, owner=scope.who, reason="prune", ttl=ttl) as heartbeat:
        opening = Opening(
            app=scope.app,
            token=heartbeat.lease.token,
            owner=f"prune by {scope.who}",
            lock=True,
            even_if_full=True,
        )
        results = _on_hosts(scope, opening, "prune", keep, connect)
        done = _pruning(scope, results)
        if any(row.removed or row.freed for row in done.hosts):
            history.append_deed(*held, _deed(scope, done.hosts))
    return done


def _on_hosts(
    scope: Scope, opening: Opening, op: str, keep: int, connect: Connect | None
) -> Results[Pruned]:
    reasons = _needed(scope)

    def ask(host: ResolvedHost) -> Pruned:
        fleet.open(host)
        asked = Asked(timeout=_LIMIT)
        done = fleet.sessions[host.name].ask(Pruned, op, asked, keep=keep, never=list(reasons))
        # The host knows that it was told to, and only we know why.
        known = {version: reasons[version] for version in done.kept if version in reasons}
        kept = {v: known.get(v, why) if why == TOLD else why for v, why in done.kept.items()}
        return done.model_copy(update={"kept": kept})

    with Fleet(connect or connector(scope.hosts), opening, environment=scope.environment) as fleet:
        return on_each(scope.hosts, ask)


def _needed(scope: Scope) -> dict[str, str]:
    """Return the versions that the environment as a whole wants on its hosts, and why."""
    where = (scope.store, scope.app, scope.environment_name)
    wanted = {pin.version: "pinned" for pin in pinned(*where)}
    seen = run_document.read(*where)
    if seen is not None and not seen[0].over:
        for version in (seen[0].version, seen[0].from_version):
            if version is not None:
                wanted.setdefault(version, "of a run that has not ended")
    for version in (on_record(scope), previous_good(scope)):
        if version is not None:
            wanted.setdefault(version, "on record")
    return wanted


def _pruning(scope: Scope, results: Results[Pruned]) -> Pruning:
    failures = {failure.host: failure.detail for failure in results.failures}
    rows = []
    for host in scope.hosts:
        done = results.values.get(host.name)
        if done is None:
            rows.append(HostPruned(host.name, trouble=failures.get(host.name, "no answer")))
        else:
            rows.append(HostPruned(host.name, done.removed, done.kept, done.freed))
    count = f"{len(results.failures)} of {counted(len(scope.hosts), 'host')}"
    failed = PruneFailed(f"{count} could not be pruned", results.failures)
    return Pruning(tuple(rows), failed if results.failures else None)


def _deed(scope: Scope, rows: tuple[HostPruned, ...]) -> DeedDraft:
    return DeedDraft(
        kind="prune",
        who=scope.who,
        job_url=scope.job_url,
        at=time.time(),
        only=scope.partial,
        hosts=tuple(
            PrunedRow(
                name=row.name, removed=row.removed, freed=row.freed, trouble=row.trouble or ""
            )
            for row in rows
        ),
    )
