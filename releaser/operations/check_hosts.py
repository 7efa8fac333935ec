"""The first phase of a release by itself: what would stop one, host by host, and its mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.kept import rights
from castoff.releaser.on_each import on_each
from castoff.releaser.release import resolve
from castoff.releaser.replies import Opened
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import lease


@dataclass(frozen=True, slots=True)
class Checked:
    """One host.

    Attributes:
        problem: What would stop a release; empty if nothing would.
        code: The kind of problem, by the agent's error codes and those of the connection.
        mend: What to do about it.
        user: Who Castoff is on the host; None where it did not get so far, as all that follow.
        python: Version of the interpreter that runs the agent.
        detour: Why it was not reached by way of its relay; empty if it was, or has none.
    """

    name: str
    address: str
    problem: str
    code: str
    mend: str
    user: str | None
    python: str | None
    free_bytes: int | None
    detour: str


def check_hosts(
    scope: Scope, version: str | None, *, connect: Connect | None = None
) -> tuple[Checked, ...]:
    """Do on every host what a release does first, under the same locks.

    The app's folders are made where they are missing; nothing else is changed.

    Args:
        scope: Whose hosts.
        version: A version in the store that they are to be fit for, or None.
        connect: How hosts are reached; default: as configured.

    Raises:
        Locked: Somebody else is at work on this environment.
        UnknownVersion: The store does not have the version.
        StoreError: The store cannot be read or written.
    """
    manifest = None if version is None else resolve(scope, "prepare", version).manifest
    with lease.held(
        scope.store,
        scope.app,
        scope.environment_name,
        owner=scope.who,
        reason="preflight",
        ttl=scope.environment.limits.lease,
    ) as heartbeat:
        opening = Opening(
            app=scope.app,
            token=heartbeat.lease.token,
            owner=f"preflight by {scope.who}",
            lock=True,
            target=None if manifest is None else manifest.target,
            need=0 if manifest is None else manifest.archive.size + manifest.tree_size,
            rights=tuple(rights(scope.recipe)),
        )
        with Fleet(
            connect or connector(scope.hosts), opening, environment=scope.environment
        ) as fleet:
            found = on_each(scope.hosts, fleet.open)
            detours = {name: session.detour for name, session in fleet.sessions.items()}
    failures = {failure.host: failure for failure in found.failures}
    return tuple(_rows(scope.hosts, found.values, failures, detours))


def _rows(
    hosts: tuple[ResolvedHost, ...],
    opened: dict[str, Opened],
    failures: dict[str, HostError],
    detours: dict[str, str],
) -> Iterator[Checked]:
    for host in hosts:
        failure = failures.get(host.name)
        facts = opened[host.name].facts if host.name in opened else None
        yield Checked(
            name=host.name,
            address=host.address,
            problem="" if failure is None else failure.detail,
            code="" if failure is None else failure.code,
            mend="" if failure is None else failure.hint,
            user=None if facts is None else facts.user,
            python=None if facts is None else facts.python,
            free_bytes=None if facts is None else facts.free_bytes,
            detour=detours.get(host.name, ""),
        )
