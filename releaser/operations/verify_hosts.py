"""Read releases on hosts again, file by file, and name everything that is not as it was built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import Damaged, HostError
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.operations.reread import reread
from castoff.releaser.operations.trees import Trees
from castoff.releaser.replies import Opened
from castoff.releaser.session import Asked
from castoff.releaser.transports.connect import Connect, connector
from castoff.store.counted import counted

_MOST_NAMED = 100
_MOST_IN_MESSAGE = 5


@dataclass(frozen=True, slots=True)
class ReleaseCheck:
    """One release on one host.

    Attributes:
        tree_sha256: What the host attests; None if it could not.
        expected: What the store's manifest says; None if the store does not have the version.
        changed: Paths of other content, size, executable bit, kind or target.
        missing: Paths that are not there.
        extra: Paths that are no part of it.
        differing: How many differ; at most 100 of each kind are named.
        trouble: Why it could not be read, or None.
    """

    version: str
    tree_sha256: str | None = None
    expected: str | None = None
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    differing: int = 0
    trouble: str | None = None

    @property
    def whole(self) -> bool:
        """Whether it is what was built."""
        if self.trouble is not None or self.differing:
            return False
        return self.expected is None or self.tree_sha256 == self.expected


@dataclass(frozen=True, slots=True)
class HostCheck:
    """One host; `current` is what it serves, `trouble` why it could not be asked."""

    name: str
    current: str | None
    releases: tuple[ReleaseCheck, ...]
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What `verify_hosts` found; `failure` is None where all is whole."""

    hosts: tuple[HostCheck, ...]
    failure: Damaged | None


def verify_hosts(
    scope: Scope, *, version: str | None, every: bool, connect: Connect | None = None
) -> Checked:
    """Have all hosts read a release again, at once and without locks.

    Args:
        scope: Whose hosts.
        version: Which; None means what each host serves.
        every: Whether all releases that a host has are read instead.
        connect: How hosts are reached; default: as configured.

    Raises:
        StoreError: The store cannot be read.
    """
    trees = Trees(scope)

    def check(host: ResolvedHost) -> HostCheck:
        opened = fleet.open(host)
        wanted = _wanted(host, opened, version, every=every)
        found = tuple(_check(scope, fleet, trees, host, one) for one in wanted)
        return HostCheck(host.name, opened.state.current, found)

    opening = Opening(app=scope.app)
    with Fleet(connect or connector(scope.hosts), opening, environment=scope.environment) as fleet:
        results = on_each(scope.hosts, check)
    lost = {failure.host: failure for failure in results.failures}
    rows = []
    failures = []
    for host in scope.hosts:
        if host.name in lost:
            rows.append(HostCheck(host.name, None, (), lost[host.name].detail))
            failures.append(lost[host.name])
        else:
            rows.append(results.values[host.name])
            failures += _failures(results.values[host.name])
    return Checked(tuple(rows), _damaged(scope, rows, failures) if failures else None)


def _wanted(
    host: ResolvedHost, opened: Opened, version: str | None, *, every: bool
) -> tuple[str, ...]:
    state = opened.state
    if every:
        return state.releases
    if version is not None:
        return (version,)
    if state.current is None:
        raise HostError(
            host.name, "nothing is live there", code="missing", hint="castoff release VERSION"
        )
    return (state.current,)


def _check(
    scope: Scope, fleet: Fleet, trees: Trees, host: ResolvedHost, version: str
) -> ReleaseCheck:
    asked = Asked(timeout=scope.environment.limits.prepare)
    found = reread(fleet.sessions[host.name], asked, version=version, most=_MOST_NAMED)
    if isinstance(found, str):
        return ReleaseCheck(version, trouble=found)
    return ReleaseCheck(
        version=version,
        tree_sha256=found.tree_sha256,
        expected=trees.expected(version),
        changed=found.changed,
        missing=found.missing,
        extra=found.extra,
        differing=found.differing,
    )


def _failures(host: HostCheck) -> list[HostError]:
    return [
        HostError(
            host.name,
            one.trouble if one.trouble is not None else f"{one.version} {_told(one)}",
            code="corrupt" if one.tree_sha256 is not None else "missing",
        )
        for one in host.releases
        if not one.whole
    ]


def _told(one: ReleaseCheck) -> str:
    if not one.differing:
        return "is whole by the host's own record, but that is not the store's"
    named = kinds({"changed": one.changed, "missing": one.missing, "extra": one.extra})
    shown = named[:_MOST_IN_MESSAGE]
    more = one.differing - len(shown)
    return "differs: " + ", ".join(shown) + (f" and {more} more" if more else "")


def kinds(paths: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return paths with what is the matter with them: `app/main.py (changed)`."""
    return [f"{path} ({kind})" for kind, some in paths.items() for path in some]


def _damaged(scope: Scope, rows: list[HostCheck], failures: list[HostError]) -> Damaged:
    where = f"--env {scope.environment_name}"
    served = {row.current for row in rows}
    damaged = {one.version for row in rows for one in row.releases if not one.whole}
    hints = [
        f"Made anew and restarted everywhere: castoff release {version} {where}"
        if version in served
        else f"Made anew: castoff prepare {version} {where}"
        for version in sorted(damaged)
    ]
    hints += [failure.hint for failure in failures if failure.hint]
    hosts = len({failure.host for failure in failures})
    return Damaged(
        f"{hosts} of {counted(len(rows), 'host')} do not have what they should",
        failures,
        hint="\n".join(dict.fromkeys(hints)),
    )
