"""Hosts that a run goes on without: recorded, marked, taken out of service; and back again."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from castoff.config.hosts import ResolvedHost
from castoff.releaser.controller_step import run_here
from castoff.releaser.errors import HostError, HostUnreachable, PrepareFailed
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.quarantine_log import QuarantineLog
from castoff.releaser.replies import Nothing
from castoff.releaser.run import run_step
from castoff.releaser.session import Asked
from castoff.releaser.steps import steps_on, variables
from castoff.releaser.tail import storable
from castoff.releaser.timeline import Timeline
from castoff.store.quarantine import Quarantined


def put_in_quarantine(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    log: QuarantineLog,
    out: Mapping[str, HostError],
    hosts: Sequence[ResolvedHost],
) -> None:
    """Record the hosts that are left out, then mark those that answer and drain all of them.

    Each goes on serving what it serves, or nothing; nothing of the new version is linked there.
    Hosts that converge are in quarantine already or are not meant to be: no more than what is
    wrong with them is noted.

    Args:
        job: The job, about the other hosts.
        fleet: Whose sessions are used; those of these hosts are closed.
        timeline: Where it is recorded.
        log: The environment's quarantine.
        out: What is wrong with each, by name.
        hosts: The hosts that are left out.

    Raises:
        PrepareFailed: A host could not be taken out of service; nothing was activated.
        StoreError: The store cannot be written, or another controller has taken over.
    """
    known = log.hosts
    log.put(
        _entry(job, out[host.name], known.get(host.name))
        for host in hosts
        if job.kind != "converge" or host.name in known
    )
    if job.kind == "converge" or not hosts:
        return
    # Neither matters to a host that only has to run what it serves.
    fleet.opening = fleet.opening.for_going_back()
    on_each(hosts, lambda host: _tell(job, fleet, timeline, out[host.name], host))
    drained = on_each(hosts, lambda host: _drain(job, timeline, log, host))
    log.put(
        log.hosts[name].model_copy(update={"drained": True})
        for name, done in drained.values.items()
        if done
    )
    if drained.failures:
        raise PrepareFailed(
            "nothing was activated: not every host that is left out could be taken out of service",
            drained.failures,
            hint="Mend `drain` in [environments.*.stragglers], then release again.",
        )


def let_out(job: Job, timeline: Timeline, log: QuarantineLog, healthy: Collection[str]) -> None:
    """Put hosts back into service that serve the version and are healthy, and let them leave.

    Args:
        job: The job.
        timeline: Where it is recorded.
        log: The environment's quarantine.
        healthy: Names of the hosts that have noted the version as good.

    Raises:
        StoreError: The store cannot be written, or another controller has taken over.
    """
    command = job.environment.stragglers.restore
    back = [host for host in job.hosts if host.name in log.hosts and host.name in healthy]

    def restore(host: ResolvedHost) -> None:
        if command is not None and log.hosts[host.name].drained:
            _run(job, timeline, host, "restore", command)

    results = on_each(back, restore)
    for failure in results.failures:
        timeline.watch.note(
            f"{failure.message}: it stays in quarantine; castoff converge tries again"
        )
    log.lift(results.values.keys())


def _entry(job: Job, failure: HostError, known: Quarantined | None) -> Quarantined:
    why = storable(failure.detail.splitlines()[0])
    if known is not None:
        return known.model_copy(update={"why": why, "version": job.version})
    return Quarantined(
        host=failure.host,
        since=time.time(),
        why=why,
        version=job.version,
        release=job.release,
    )


def _tell(
    job: Job, fleet: Fleet, timeline: Timeline, failure: HostError, host: ResolvedHost
) -> None:
    """Run the host's own `quarantine` steps and mark it, if it answers and is not marked yet."""
    if isinstance(failure, HostUnreachable) and host.name not in fleet.opened:
        return
    again = job.environment.limits.connect
    try:
        with timeline.step(host.name, "quarantine"):
            state = fleet.open_patiently(host, patience={"busy": again}).state
        if state.quarantine is None:
            for step in steps_on(job, "quarantine", host):
                if step.run_on == "host" and state.current is not None:
                    run_step(job, fleet, timeline, step, host, state.current)
            fleet.sessions[host.name].ask(
                Nothing,
                "quarantine",
                Asked(timeout=job.environment.limits.answer),
                release=job.release,
                why=failure.detail.splitlines()[0],
            )
    except HostError as error:
        timeline.watch.note(f"{error.message}: it does not know that it is in quarantine")
    finally:
        # Lets go of the host's lock, so that a person can work there.
        fleet.close(host)


def _drain(job: Job, timeline: Timeline, log: QuarantineLog, host: ResolvedHost) -> bool:
    """Take a host out of service from here, once for each stay; return whether that was done."""
    if log.hosts[host.name].drained:
        return False
    steps = [step for step in steps_on(job, "quarantine", host) if step.run_on == "controller"]
    for step in steps:
        if step.command is not None:
            _run(job, timeline, host, step.name, step.command, limit=step.timeout, env=step.env)
    own = job.environment.stragglers.drain
    if own is not None:
        _run(job, timeline, host, "drain", own)
    return bool(steps) or own is not None


def _run(
    job: Job,
    timeline: Timeline,
    host: ResolvedHost,
    name: str,
    command: str,
    *,
    limit: float | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    say: Callable[[str], None] = lambda line: timeline.watch.output(host.name, name, line)  # noqa: E731
    with timeline.step(host.name, name):
        run_here(
            host.name,
            name,
            command,
            folder=job.scope.base,
            variables={
                **variables(job, host, job.version),
                "CASTOFF_ADDRESS": host.address,
                "CASTOFF_ROOT": host.root,
                **(env or {}),
            },
            limit=job.within(host.name, limit or job.environment.limits.release),
            say=say,
        )
