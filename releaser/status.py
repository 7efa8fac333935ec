"""What runs where: each host's own word, held against the environment's channel."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet, Opening, on_each
from castoff.releaser.job import Scope
from castoff.releaser.replies import Opened, Processes
from castoff.releaser.session import Asked
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import channel, freeze, run_document

_PROCESSES_LIMIT = 30.0


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host.

    Attributes:
        processes: How many processes of each version run there, as far as the user may see.
        trouble: Why the rest is empty, or what is half done.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    current: str | None
    good: str | None
    previous: str | None
    releases: tuple[str, ...]
    processes: dict[str, int]
    free_bytes: int | None
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """The environment: what it should serve, and what each host does serve.

    Attributes:
        frozen: By whom, since when and why it is frozen; None if it is not.
        unfinished: What was interrupted and waits for `resume` or `abort`, or is under way.
    """

    app: str
    environment: str
    current: str | None
    previous: str | None
    frozen: str | None
    unfinished: str | None
    hosts: tuple[HostStatus, ...]

    @property
    def agrees(self) -> bool:
        """Whether every host answers and serves the current version, and nothing is half done."""
        whole = all(h.trouble is None and h.current == self.current for h in self.hosts)
        return whole and self.unfinished is None


def look(scope: Scope, *, connect: Connect | None = None) -> Status:
    """Ask all hosts at once, without locks; a host that does not answer is in the result too."""
    pointer = channel.read(scope.store, scope.app, scope.environment_name)
    current = pointer[0] if pointer is not None else None
    with Fleet(
        connect or connector(scope.hosts),
        Opening(app=scope.app),
        connect_limit=scope.environment.limits.connect,
    ) as fleet:
        results = on_each(scope.hosts, lambda host: _ask(fleet, host))
    failures = {failure.host: failure for failure in results.failures}
    rows = []
    for host in scope.hosts:
        opened, running = results.values.get(host.name, (None, {}))
        state = None if opened is None else opened.state
        rows.append(
            HostStatus(
                name=host.name,
                address=host.address,
                roles=host.roles,
                current=None if state is None else state.current,
                good=None if state is None else state.good,
                previous=None if state is None else state.previous,
                releases=() if state is None else state.releases,
                processes=running,
                free_bytes=None if opened is None else opened.facts.free_bytes,
                trouble=_trouble(failures.get(host.name))
                if state is None
                else None
                if state.intent is None
                else f"a flip to {state.intent.to} was begun and never confirmed",
            )
        )
    return Status(
        app=scope.app,
        environment=scope.environment_name,
        current=None if current is None else current.current,
        previous=None if current is None else current.previous,
        frozen=_frozen(scope),
        unfinished=_unfinished(scope),
        hosts=tuple(rows),
    )


def _ask(fleet: Fleet, host: ResolvedHost) -> tuple[Opened, dict[str, int]]:
    opened = fleet.open(host)
    asked = Asked(timeout=_PROCESSES_LIMIT)
    running = fleet.sessions[host.name].ask(Processes, "processes", asked).processes
    return opened, {version: len(numbers) for version, numbers in sorted(running.items())}


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


def _trouble(failure: HostError | None) -> str:
    return "no answer" if failure is None else failure.detail
