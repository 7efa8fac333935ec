"""Reach every host, take its lock, and learn whether it can take the release at all."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import (
    HostError,
    HostKeyRejected,
    HostUnreachable,
    PreflightFailed,
    hints_of,
)
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import on_each
from castoff.releaser.retry import of_connecting, retrying
from castoff.releaser.timeline import Timeline

_MOST_NAMED = 5


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
        raise PreflightFailed(
            "nothing was changed: not every host can take the release",
            failures,
            hint="\n".join([*hints_of(failures), *_without(job, failures)]),
        )


def _without(job: Job, failures: list[HostError]) -> Iterator[str]:
    """Yield how to release to the others, where hosts are away that a person may do without."""
    silent = [one for one in failures if isinstance(one, HostUnreachable)]
    away = sorted({one.host for one in silent if not isinstance(one, HostKeyRejected)})
    if len(away) != len(failures) or len(away) >= len(job.hosts) or len(away) > _MOST_NAMED:
        return
    if job.scope.partial or job.kind not in {"release", "activate", "rollback"}:
        return
    yield (
        f"To go on without: castoff {job.kind} {job.version} --env {job.environment_name} "
        f"--except {','.join(away)}"
    )


def _tell_detours(fleet: Fleet, timeline: Timeline) -> None:
    """Say which hosts were not reached as configured, since that works too, but costs more."""
    names: dict[str, list[str]] = {}
    for name, session in fleet.sessions.items():
        if session.detour:
            names.setdefault(session.detour, []).append(name)
    for detour, several in names.items():
        timeline.watch.note(f"{', '.join(sorted(several))}: not reached {detour}")
