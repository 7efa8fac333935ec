"""What runs where: each host's own word, held against the environment's channel."""

from __future__ import annotations

import time
from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.operations.reread import reread
from castoff.releaser.operations.trees import Trees
from castoff.releaser.replies import Held, Opened, Processes, Verified
from castoff.releaser.session import Asked
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import channel, freeze, keys, lease_document, pins, quarantine, run_document

_LOOK_LIMIT = 120.0
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Drift:
    """What of a release is not as it was built; at most 20 paths of each kind.

    Attributes:
        changed: Other content, size, executable bit, kind or target.
        missing: Not there.
        extra: No part of it.
        count: How many paths differ.
    """

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host.

    Attributes:
        processes: How many processes of each version run there, as far as the user may see.
        tree_sha256: The digest that the host attests for what it serves.
        drift: How what it serves differs from what was built; None if it does not.
        color: That of the instance that serves, where there are two; else None.
        maintenance: Whether the maintenance page is on.
        lock: Who is at work on the host; None if nobody is.
        quarantine: Since when and why releases go on without it; None if they do not.
        trouble: Why the rest is empty, or what is half done.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    current: str | None = None
    good: str | None = None
    previous: str | None = None
    releases: tuple[str, ...] = ()
    processes: dict[str, int] | None = None
    free_bytes: int | None = None
    free_inodes: int | None = None
    tree_sha256: str | None = None
    drift: Drift | None = None
    color: str | None = None
    maintenance: bool = False
    lock: str | None = None
    quarantine: str | None = None
    trouble: str | None = None

    @property
    def stale(self) -> bool:
        """Whether processes run there, and none of them is of the version that is linked."""
        return bool(self.processes) and self.current not in (self.processes or {})


@dataclass(frozen=True, slots=True)
class Pinned:
    """A version that no pruning takes; `since` in seconds since the epoch."""

    version: str
    owner: str
    since: float
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """The environment: what it should serve, and what each host does serve.

    Attributes:
        deep: Whether every file was read; else those that were touched since the release.
        lease: Who is at work on the environment, since when and on what; None if nobody is.
        frozen: By whom, since when and why it is frozen; None if it is not.
        unfinished: What was interrupted and waits for `resume` or `abort`, or is under way.
    """

    app: str
    environment: str
    current: str | None
    previous: str | None
    deep: bool
    lease: str | None
    frozen: str | None
    unfinished: str | None
    pinned: tuple[Pinned, ...]
    hosts: tuple[HostStatus, ...]

    def fits(self, host: HostStatus) -> bool:
        """Whether a host serves the current version, whole, and nothing there is half done.

        Behind a maintenance page nothing is served but the page.
        """
        return (
            host.trouble is None
            and host.drift is None
            and host.quarantine is None
            and host.current == self.current
            and not host.stale
            and not host.maintenance
        )

    @property
    def agrees(self) -> bool:
        """Whether every host fits, and no run waits for its end."""
        return self.unfinished is None and all(self.fits(host) for host in self.hosts)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one host answered."""

    opened: Opened
    processes: dict[str, int]
    lock: str | None
    found: Verified | None
    trouble: str | None


def look(scope: Scope, *, deep: bool = False, connect: Connect | None = None) -> Status:
    """Ask all hosts at once, without locks; a host that does not answer is in the result too.

    Args:
        scope: Whose hosts.
        deep: Whether every file of what they serve is read; else only those that the file system
            says were touched since the release was made.
        connect: How hosts are reached; default: as configured.

    Raises:
        StoreError: The store cannot be read.
    """
    where = (scope.store, scope.app, scope.environment_name)
    pointer = channel.read(*where)
    trees = Trees(scope)
    with Fleet(
        connect or connector(scope.hosts),
        Opening(app=scope.app),
        environment=scope.environment,
    ) as fleet:
        results = on_each(scope.hosts, lambda host: _ask(scope, fleet, trees, host, deep=deep))
    failures = {failure.host: failure for failure in results.failures}
    apart = _quarantined(scope)
    return Status(
        app=scope.app,
        environment=scope.environment_name,
        current=None if pointer is None else pointer[0].current,
        previous=None if pointer is None else pointer[0].previous,
        deep=deep,
        lease=_lease(scope),
        frozen=_frozen(scope),
        unfinished=_unfinished(scope),
        pinned=tuple(
            Pinned(pin.version, pin.owner, pin.since, pin.reason) for pin in pins.pinned(*where)
        ),
        hosts=tuple(
            _row(host, results.values.get(host.name), failures.get(host.name), apart)
            for host in scope.hosts
        ),
    )


def _ask(scope: Scope, fleet: Fleet, trees: Trees, host: ResolvedHost, *, deep: bool) -> _Seen:
    opened = fleet.open(host)
    session = fleet.sessions[host.name]
    asked = Asked(timeout=max(_LOOK_LIMIT, scope.environment.limits.prepare if deep else 0))
    running = session.ask(Processes, "processes", asked).processes
    lock = session.ask(Held, "lock", asked).holder
    found, trouble = None, None
    current = opened.state.current
    if current is not None:
        said = reread(session, asked, version=current, quick=not deep, most=_MOST_NAMED)
        if isinstance(said, str):
            trouble = said
        else:
            found = said
            if not found.differing and trees.expected(current) not in (None, found.tree_sha256):
                trouble = "its own record of the release is not the store's"
    counts = {version: len(numbers) for version, numbers in sorted(running.items())}
    return _Seen(opened, counts, lock, found, trouble)


def _row(
    host: ResolvedHost, seen: _Seen | None, failure: HostError | None, apart: dict[str, str]
) -> HostStatus:
    if seen is None:
        return HostStatus(
            name=host.name,
            address=host.address,
            roles=host.roles,
            quarantine=apart.get(host.name),
            trouble="no answer" if failure is None else failure.detail,
        )
    state, facts, found = seen.opened.state, seen.opened.facts, seen.found
    trouble = seen.trouble
    if state.intent is not None:
        trouble = f"a flip to {state.intent.to} was begun and never confirmed"
    return HostStatus(
        name=host.name,
        address=host.address,
        roles=host.roles,
        current=state.current,
        good=state.good,
        previous=state.previous,
        releases=state.releases,
        processes=seen.processes,
        free_bytes=facts.free_bytes,
        free_inodes=None if facts.free_inodes < 0 else facts.free_inodes,
        tree_sha256=None if found is None else found.tree_sha256,
        drift=None
        if found is None or not found.differing
        else Drift(found.changed, found.missing, found.extra, found.differing),
        color=state.color,
        maintenance=state.maintenance,
        lock=seen.lock,
        quarantine=apart.get(host.name),
        trouble=trouble,
    )


def _quarantined(scope: Scope) -> dict[str, str]:
    seen = quarantine.read(scope.store, scope.app, scope.environment_name)
    hosts = () if seen is None else seen[0].hosts
    return {one.host: f"since {freeze.clock(one.since)}: {one.why}" for one in hosts}


def _lease(scope: Scope) -> str | None:
    seen = lease_document.read(scope.store, keys.lease(scope.app, scope.environment_name))
    if seen is None or seen[0].is_free(time.time()):
        return None
    held = seen[0]
    return f"{held.owner} since {freeze.clock(held.acquired)}: {held.reason}"


def _frozen(scope: Scope) -> str | None:
    found = freeze.in_force(scope.store, scope.app, scope.environment_name)
    if found is None:
        return None
    return f"by {found.owner} since {freeze.clock(found.since)}: {found.reason}"


def _unfinished(scope: Scope) -> str | None:
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    if seen is None or seen[0].over:
        return None
    run = seen[0]
    since = freeze.clock(run.started)
    return f"{run.kind} {run.version} by {run.who} since {since}, in the phase {run.phase!r}"
