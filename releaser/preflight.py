"""Reach every host, take its lock, and learn whether it can take the release at all."""

from __future__ import annotations

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import PreflightFailed
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.retry import of_connecting, retrying
from castoff.releaser.timeline import Timeline


def preflight(job: Job, fleet: Fleet, timeline: Timeline) -> None:
    """Open a session on every host, each with its lock taken.

    Raises:
        PreflightFailed: Some host cannot be reached, is busy, lacks space or the right Python;
            all that are wrong are named, and nothing was changed on any.
    """
    limit = job.environment.limits.connect

    def open_one(host: ResolvedHost) -> None:
        def attempt() -> None:
            # A controller that died may have left a step that still runs and holds the lock.
            left = job.within(host.name, limit)
            fleet.open_patiently(host, patience={"busy": left}, limit=left)

        again = of_connecting(job)
        retrying(job, fleet, timeline, host, "connect", retries=again, action=attempt, in_turn=True)

    failures = on_each(job.hosts, open_one).failures
    _tell_detours(fleet, timeline)
    if failures:
        raise PreflightFailed("nothing was changed: not every host can take the release", failures)


def _tell_detours(fleet: Fleet, timeline: Timeline) -> None:
    """Say which hosts were not reached as configured, since that works too, but costs more."""
    names: dict[str, list[str]] = {}
    for name, session in fleet.sessions.items():
        if session.detour:
            names.setdefault(session.detour, []).append(name)
    for detour, several in names.items():
        timeline.watch.note(f"{', '.join(sorted(several))}: not reached {detour}")
