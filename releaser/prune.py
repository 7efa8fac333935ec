"""Old releases leave the hosts once a newer one is live; a failure here is only a remark.

`prune_hosts.py` does the same when somebody asks for it.
"""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.record import Record
from castoff.releaser.replies import Pruned
from castoff.releaser.session import Asked
from castoff.releaser.timeline import Timeline
from castoff.store.errors import CastoffError
from castoff.store.pins import pinned

_LIMIT = 300.0


def prune(job: Job, fleet: Fleet, timeline: Timeline, record: Record) -> None:
    """Keep the environment's number of good releases on each host; remove the others."""
    scope = job.scope
    try:
        pins = pinned(scope.store, scope.app, scope.environment_name)
    except CastoffError as error:
        timeline.watch.note(f"old releases were not removed: {error.message}")
        return
    never = [version for version in (job.version, record.previous) if version is not None]
    never += [pin.version for pin in pins]

    def prune_one(host: ResolvedHost) -> Pruned:
        return fleet.sessions[host.name].ask(
            Pruned,
            "prune",
            Asked(timeout=job.within(host.name, _LIMIT)),
            keep=job.environment.keep,
            never=never,
        )

    # Whoever was lost since the flip has been named already, and is pruned by the next release.
    there = [host for host in job.hosts if host.name in fleet.sessions]
    for failure in on_each(there, prune_one).failures:
        timeline.watch.note(f"{failure.host}: old releases were not removed: {failure.detail}")
