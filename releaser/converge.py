"""Bring hosts that fell behind to the version that their environment has."""

from __future__ import annotations

from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Job, Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.partial import Choice, narrow
from castoff.releaser.quarantine_log import QuarantineLog
from castoff.releaser.record import on_record
from castoff.releaser.release import resolve
from castoff.releaser.transports.connect import Connect, connector
from castoff.store.errors import UnknownVersion


def converging(scope: Scope, hosts: Sequence[str], *, connect: Connect | None = None) -> Job | None:
    """Return the job that converges hosts, or None if none has fallen behind.

    Args:
        scope: All hosts of the environment.
        hosts: Which of them, as `--only` names them; without any, those that have fallen behind.
        connect: How hosts are reached; by the transports that they name if None.

    Raises:
        UnknownVersion: The environment has no version yet.
        UsageError: It has no such host.
        CastoffError: As `resolve`.
    """
    version = on_record(scope)
    if version is None:
        raise UnknownVersion(
            f"{scope.environment_name} of {scope.app} has no version yet to converge to",
            hint="Put one live first: castoff release VERSION",
        )
    names = tuple(hosts) or behind(scope, version, connect=connect)
    if not names:
        return None
    return resolve(narrow(scope, Choice(only=",".join(names))), "converge", version)


def behind(scope: Scope, version: str, *, connect: Connect | None = None) -> tuple[str, ...]:
    """Return the names of hosts that do not serve a version for good, in the order of the file.

    Those are the hosts in quarantine, those that serve another version or were left in the middle
    of a flip, and those that do not answer. Nothing is locked or changed.

    Raises:
        StoreError: The store cannot be read.
    """
    quarantined = QuarantineLog.open(scope).hosts
    opening = Opening(app=scope.app)

    def up_to_date(host: ResolvedHost) -> bool:
        state = fleet.open(host).state
        return state.current == version == state.good and state.intent is None

    with Fleet(connect or connector(scope.hosts), opening, environment=scope.environment) as fleet:
        asked = on_each(scope.hosts, up_to_date).values
    return tuple(
        host.name
        for host in scope.hosts
        if host.name in quarantined or not asked.get(host.name, False)
    )
