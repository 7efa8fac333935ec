"""What a run would do, host by host: a value to print, to compare, to test and to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment, Strategy
from castoff.releaser import kept
from castoff.releaser.agent.pace import Pace
from castoff.releaser.colors import gated, paired
from castoff.releaser.configuration.changes import FileChange, compare, grouped
from castoff.releaser.configuration.rendered import Configuration, render_all
from castoff.releaser.documents import Documents
from castoff.releaser.errors import HostError, PreflightFailed
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.machine import SKIPPED, Phase
from castoff.releaser.migrations.crossing import look
from castoff.releaser.on_each import Results, on_each
from castoff.releaser.patches import Patches
from castoff.releaser.quarantine_log import QuarantineLog
from castoff.releaser.rates import paced, rate_of_each
from castoff.releaser.replies import Foreseen, Opened
from castoff.releaser.secrets.used import needed
from castoff.releaser.session import Asked, Given
from castoff.releaser.sources import ArchiveSources
from castoff.releaser.steps import last_steps, leader, steps_at, steps_on
from castoff.releaser.stragglers import may_leave_out, objection, without
from castoff.releaser.strategy import batches
from castoff.store import freeze
from castoff.store.migrations import reasons
from castoff.store.outcomes import Way
from castoff.store.planned import Planned, PlannedHost, PlannedOnce, PlannedStep

_PREPARING: tuple[Moment, ...] = ("before_prepare", "prepare")
_EACH: tuple[Moment, ...] = ("before_activate", "activate", "after_activate")
_EACH_BACK: tuple[Moment, ...] = ("before_activate", "on_rollback", "activate", "after_activate")
_PAIRED: tuple[Moment, ...] = ("start_idle", "check_idle")
_ONCE: tuple[Moment, ...] = ("backup", "once")


@dataclass(frozen=True, slots=True)
class HostPlan:
    """One host's part.

    Attributes:
        current: What it serves now.
        fetch: Bytes it would have to fetch; 0 where the release lies there already.
        ways: How many of them in which way.
        damage: What is wrong with the release that lies there, so that it is made anew; or None.
        batch: In which group it flips, from 1; 0 where nothing flips.
        steps: Moment and name of the steps that it would run, in their order.
    """

    name: str
    address: str
    roles: tuple[str, ...]
    current: str | None
    fetch: int
    ways: dict[Way, int]
    damage: str | None
    free_bytes: int
    batch: int
    steps: tuple[tuple[Moment, str], ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole.

    Attributes:
        live: The version that the environment's channel calls current.
        frozen: Why the run would be refused: by whom, since when and why the environment is
            frozen; None if it is not.
        strategy: How hosts flip: the kind.
        gate: What lies between two groups of hosts, in words.
        shared: Paths that each host links into its `shared/`.
        once: Moment, step and leader of each step that runs once.
        left_out: Hosts that it would go on without, and why.
        quarantined: Hosts that are in quarantine now.
        migrations: What migrate steps would have to run.
        in_the_way: Migrations that were run and that the version may not live with, each with why:
            it would be refused.
        no_way_back: Those of the version that the one which is live may not live with, likewise: a
            rollback would be refused.
        secrets: Names of the secrets that it may come to need.
        files: What would become of hosts' configuration files.
    """

    app: str
    environment: str
    kind: str
    version: str
    live: str | None
    commit: str
    frozen: str | None
    strategy: str
    gate: tuple[str, ...]
    shared: tuple[str, ...]
    hosts: tuple[HostPlan, ...]
    once: tuple[tuple[Moment, str, str], ...]
    left_out: tuple[tuple[str, str], ...] = ()
    quarantined: tuple[str, ...] = ()
    migrations: tuple[str, ...] = ()
    in_the_way: tuple[tuple[str, str], ...] = ()
    no_way_back: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()


def make_plan(job: Job, fleet: Fleet, *, live: str | None) -> Plan:
    """Look at every host, changing nothing, and say what the job would do there.

    Args:
        job: The job; it is not begun.
        fleet: Opened by this, without locks.
        live: The version that the environment's channel calls current.

    Raises:
        PreflightFailed: Some hosts cannot be reached, or cannot take the release.
        StoreError: The store cannot be read.
    """
    looked, changes = _look(job, fleet, on_each(job.hosts, fleet.open))
    apart = QuarantineLog.open(job.scope).hosts
    everyone, names = job.hosts, needed(job)
    if looked.failures:
        job = _without(job, looked.failures)
    crossing = look(job, live=live)
    found = freeze.in_force(job.scope.store, job.app, job.environment_name)
    return Plan(
        app=job.app,
        environment=job.environment_name,
        kind=job.kind,
        version=job.version,
        live=live,
        commit=job.manifest.source.commit,
        frozen=None
        if found is None
        else f"by {found.owner} since {freeze.clock(found.since)}: {found.reason}",
        strategy=job.environment.strategy.kind,
        gate=_gate(job.environment.strategy),
        shared=tuple(kept.shared(job.scope.recipe)),
        hosts=tuple(_host_plan(job, host, *looked.values[host.name]) for host in job.hosts),
        once=_once(job, live),
        left_out=tuple((failure.host, failure.detail) for failure in looked.failures),
        quarantined=tuple(host.name for host in everyone if host.name in apart),
        migrations=tuple(one.text for one in crossing.to_run),
        in_the_way=() if job.version == live else reasons(crossing.in_the_way, crossing.code),
        no_way_back=reasons(crossing.no_way_back, crossing.live_code),
        secrets=tuple(name for name in job.environment.secrets if name in names),
        files=grouped(changes),
    )


def _look(
    job: Job, fleet: Fleet, opened: Results[Opened]
) -> tuple[Results[tuple[Opened, Foreseen]], dict[str, Sequence[FileChange]]]:
    """Ask the hosts that were reached what the job would do there."""
    reached = [host for host in job.hosts if host.name in opened.values]
    with ArchiveSources(job) as sources:
        configuration = render_all(job, fleet, sources, reached)
    changes: dict[str, Sequence[FileChange]] = {}
    documents, rate = Documents(job), rate_of_each(job, fleet)

    def look_one(host: ResolvedHost) -> tuple[Opened, Foreseen]:
        changes[host.name] = compare(job, fleet, host, configuration.of(host))
        foreseen = _foresee(job, fleet, host, configuration, documents, patches, rate)
        return opened.values[host.name], foreseen

    with Patches(job) as patches:
        looked = on_each(reached, look_one)
    failures = {failure.host: failure for failure in (*opened.failures, *looked.failures)}
    looked.failures = [failures[host.name] for host in job.hosts if host.name in failures]
    return looked, {name: changes[name] for name in looked.values}


def _without(job: Job, failures: list[HostError]) -> Job:
    """Return the job without hosts that it would go on without.

    Raises:
        PreflightFailed: It would not.
    """
    summary = "the plan cannot be made: ask again when all hosts answer"
    out = {failure.host for failure in failures}
    if not may_leave_out(job):
        raise PreflightFailed(summary, failures)
    if why_not := objection(job, job.hosts, out, failures, ()):
        raise PreflightFailed(f"{summary} ({why_not})", failures)
    return without(job, out)


def planned(job: Job, opened: Mapping[str, Opened], *, live: str | None) -> Planned | None:
    """Return what the history keeps of a run's plan: of the hosts that answered, if any did.

    Args:
        job: The job.
        opened: What each host said when it was reached first.
        live: The version that the environment's channel called current then.
    """
    if not opened:
        return None
    hosts = [
        _host_plan(job, host, there, Foreseen(fetch=_fetch(job, there), damage=None))
        for host in job.hosts
        if (there := opened.get(host.name)) is not None
    ]
    return Planned(
        hosts=tuple(
            PlannedHost(
                name=host.name,
                serves=host.current,
                fetch=host.fetch,
                batch=host.batch,
                steps=tuple(PlannedStep(moment=moment, name=name) for moment, name in host.steps),
            )
            for host in hosts
        ),
        once=tuple(
            PlannedOnce(moment=moment, name=name, leader=host)
            for moment, name, host in _once(job, live)
        ),
        shared=tuple(kept.shared(job.scope.recipe)),
    )


def _foresee(
    job: Job,
    fleet: Fleet,
    host: ResolvedHost,
    configuration: Configuration,
    documents: Documents,
    patches: Patches,
    rate: int,
) -> Foreseen:
    offer = patches.offer(fleet.opened[host.name].state)

    def ask(told: dict[str, Any]) -> Foreseen:
        return fleet.sessions[host.name].ask(
            Foreseen,
            "foresee",
            Asked(
                timeout=job.within(host.name, job.environment.limits.prepare),
                table=Given(paced(documents.table.read, Pace(rate))),
            ),
            version=job.version,
            shared=kept.shared(job.scope.recipe),
            writable=kept.writable(job.scope.recipe),
            configured=configuration.inside(host),
            layers=kept.layers(job.environment),
            patch=None if offer is None else offer.told(None),
            **told,
        )

    # A long one comes from us: who but looks has not to be able to reach the store.
    return documents.tell(fleet.opened[host.name].state, ask, list)


def _fetch(job: Job, opened: Opened) -> int:
    there = job.kind == "activate" or job.version in opened.state.releases
    return 0 if there else job.manifest.archive.size


def _once(job: Job, live: str | None) -> tuple[tuple[Moment, str, str], ...]:
    if job.kind == "prepare":
        return ()
    # The release of what is live already passes those over that come before the flip.
    passed = Phase.MIGRATE in SKIPPED[job.kind] or live == job.version
    before = () if passed else (step for moment in _ONCE for step in steps_at(job, moment))
    return tuple(
        (step.moment, step.name, chosen.name)
        for step in (*before, *last_steps(job))
        if (chosen := leader(step, job.hosts)) is not None
    )


def _host_plan(job: Job, host: ResolvedHost, opened: Opened, foreseen: Foreseen) -> HostPlan:
    moments = _PREPARING
    if job.kind != "prepare":
        moments += _PAIRED if paired(job.environment) else ()
        moments += _EACH_BACK if job.kind == "rollback" else _EACH
    groups = () if job.kind == "prepare" else batches(job.environment.strategy, job.hosts)
    return HostPlan(
        name=host.name,
        address=host.address,
        roles=host.roles,
        current=opened.state.current,
        fetch=foreseen.fetch,
        ways=foreseen.ways,
        damage=foreseen.damage,
        free_bytes=opened.facts.free_bytes,
        batch=next((n for n, group in enumerate(groups, 1) if host in group), 0),
        steps=tuple(
            (moment, step.name)
            for moment in moments
            for step in steps_on(job, moment, host)
            if moment != "before_prepare"
            or step.run_on == "controller"
            or opened.state.current is not None
        ),
    )


def _gate(strategy: Strategy) -> tuple[str, ...]:
    if strategy.kind == "all" or (strategy.kind == "blue-green" and not gated(strategy)):
        return ()
    parts = []
    if strategy.soak:
        parts.append(f"{strategy.soak:g} s pass")
    parts.append("the checks run again")
    if strategy.command is not None:
        parts.append(f"this must succeed: {strategy.command}")
    if strategy.ask:
        parts.append("a person must say yes")
    return tuple(parts)
