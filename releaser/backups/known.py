"""Which back-ups there are: in the store, and on the hosts that keep some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Step
from castoff.releaser.backups.at_work import backup_steps
from castoff.releaser.backups.restoring import Known
from castoff.releaser.built_in import ask_built_in, filled
from castoff.releaser.errors import HostError
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.job import Scope
from castoff.releaser.on_each import on_each
from castoff.releaser.session import AgentSession, Asked
from castoff.releaser.steps import runs_on, variables
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import backups
from castoff.store.backups import Backup
from castoff.store.errors import CorruptArtifact, UsageError


@dataclass(frozen=True, slots=True)
class Survey:
    """All that are known, the oldest first, and why there may be more.

    Attributes:
        failures: Hosts that could not be asked.
        damaged: Descriptions that cannot be read.
    """

    found: list[Known]
    failures: list[HostError]
    damaged: list[CorruptArtifact | HostError]

    @property
    def unknown(self) -> list[CorruptArtifact | HostError]:
        """All that keeps it from being complete."""
        return [*self.failures, *self.damaged]


def survey(scope: Scope, *, connect: Connect | None = None) -> Survey:
    """Return the back-ups of an environment; nothing is locked or changed.

    Raises:
        UsageError: The environment has no step that makes any.
        StoreError: The store cannot be read.
    """
    steps = backup_steps(scope)
    where = (scope.store, scope.app, scope.environment_name)
    stored = backups.kept(*where)
    found = [Known(one, "store") for one in stored.whole]
    damaged: list[CorruptArtifact | HostError] = list(stored.damaged.values())
    there = [step for step in steps if step.backup is not None and step.backup.to == "host"]
    hosts = [host for host in scope.hosts if any(runs_on(step, host) for step in there)]
    opening = Opening(app=scope.app)

    def ask(host: ResolvedHost) -> list[Known]:
        version = fleet.open(host).state.current
        if version is None:
            return []
        session = fleet.sessions[host.name]
        mine = [step for step in there if runs_on(step, host)]
        several: list[Backup] = []
        for step in mine:
            whole, broken = on_host(scope, session, step, version)
            several += whole
            damaged.extend(broken)
        return [Known(one, host.name) for one in {one.id: one for one in several}.values()]

    with Fleet(connect or connector(scope.hosts), opening, environment=scope.environment) as fleet:
        results = on_each(hosts, ask)
    for several in results.values.values():
        found += several
    return Survey(sorted(found, key=lambda one: one.backup.time), results.failures, damaged)


def on_host(
    scope: Scope, session: AgentSession, step: Step, version: str
) -> tuple[list[Backup], list[HostError]]:
    """Return the back-ups that a host keeps where a step keeps them, and what cannot be read.

    Raises:
        HostError: It cannot be asked.
    """
    if step.backup is None:
        raise ValueError(f"step {step.name!r} makes no back-up")
    limit = scope.environment.limits.answer
    given = variables(scope, session.host, version)
    options = step.backup.model_dump(mode="json")
    answer = ask_built_in(
        session,
        "backups",
        Asked(timeout=limit),
        version=version,
        name=step.name,
        options=filled(options, {**given, "version": version}),
        env=given,
        timeout=limit,
    )
    several: list[Any] = (answer.model_extra or {}).get("backups", [])
    whole, broken = [], []
    for one in several:
        try:
            whole.append(_read(one, session))
        except HostError as error:
            broken.append(error)
    mine = (scope.app, scope.environment_name)
    return [one for one in whole if (one.app, one.environment) == mine], broken


def look_up(scope: Scope, identifier: str, *, connect: Connect | None = None) -> Known:
    """Return one back-up.

    Raises:
        UsageError: There is none of that name.
        HostError, CorruptArtifact: There may be: a host does not answer, or a description is
            damaged.
        StoreError: The store cannot be read.
    """
    known = survey(scope, connect=connect)
    for one in known.found:
        if one.backup.id == identifier:
            return one
    for failure in known.unknown:
        raise failure
    raise UsageError(
        f"there is no back-up {identifier!r} of {scope.app} in {scope.environment_name}",
        hint=f"castoff backups --env {scope.environment_name}",
    )


def _read(description: object, session: AgentSession) -> Backup:
    try:
        return backups.read(description, host=session.host.name)
    except CorruptArtifact as error:
        raise HostError(
            session.host.name, error.message, code="corrupt", hint=error.hint
        ) from error
