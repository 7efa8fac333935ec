"""Whether a run may go on without the hosts that cannot take part; no I/O."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostError, HostKeyRejected
from castoff.releaser.job import Job
from castoff.releaser.partial import narrowed


def least(quorum: str, count: int) -> int:
    """Return how many of `count` hosts a quorum asks for: at least one, at most all."""
    wanted = math.ceil(count * int(quorum[:-1]) / 100) if quorum.endswith("%") else int(quorum)
    return max(1, min(wanted, count))


def may_leave_out(job: Job) -> bool:
    """Whether the job may go on without some hosts at all.

    What is only prepared serves nobody yet: there every host has to have it. Converging is about
    each host by itself.
    """
    if job.kind == "converge":
        return True
    return job.kind != "prepare" and job.environment.stragglers.policy == "quarantine"


def objection(
    job: Job,
    hosts: Sequence[ResolvedHost],
    out: Collection[str],
    failures: Sequence[HostError],
    held: Collection[str],
) -> str | None:
    """Return why the job cannot go on without some hosts, or None if it can.

    Args:
        job: A job that may leave hosts out.
        hosts: All hosts that it began with.
        out: The names of all that would be left out, those before among them.
        failures: What is wrong with those that have just failed.
        held: Names of hosts that an interrupted run may have flipped.
    """
    left = [host for host in hosts if host.name not in out]
    if job.kind == "converge":
        return None if left else "no host is left"
    for failure in failures:
        # Whoever answers in a host's name, or is ahead of us, is nothing to pass over.
        if isinstance(failure, HostKeyRejected) or failure.code == "stale":
            return f"{failure.host} cannot be left out for this"
        if failure.host in held:
            return f"{failure.host} may have flipped in the run that was interrupted"
    return _too_few(job, hosts, left)


def _too_few(job: Job, hosts: Sequence[ResolvedHost], left: Sequence[ResolvedHost]) -> str | None:
    wanted = least(job.environment.stragglers.quorum or "100%", len(hosts))
    if len(left) < wanted:
        return f"{len(left)} of {len(hosts)} hosts can take part, and the quorum is {wanted}"
    staffed = {role for host in left for role in host.roles}
    empty = sorted({role for host in hosts for role in host.roles} - staffed)
    return f"no host with the role {empty[0]!r} can take part" if empty else None


def without(job: Job, out: Collection[str]) -> Job:
    """Return the job about the other hosts alone."""
    hosts = tuple(host for host in job.hosts if host.name not in out)
    environment = narrowed(job.environment, hosts)
    return replace(job, scope=replace(job.scope, hosts=hosts, environment=environment))
