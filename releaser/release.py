"""The main job: prepare everywhere, wait for all, activate everywhere; or go back."""

from __future__ import annotations

import time

from castoff.releaser.activate import activate, confirm
from castoff.releaser.fleet import Fleet, Opening, on_each
from castoff.releaser.go_back import go_back
from castoff.releaser.job import Job, Kind, Scope
from castoff.releaser.once import run_once_steps
from castoff.releaser.plan import Plan, make_plan
from castoff.releaser.preflight import preflight
from castoff.releaser.prepare import barrier, prepare
from castoff.releaser.prune import prune
from castoff.releaser.record import Record
from castoff.releaser.sources import ArchiveSources
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.connect import Connect, connector
from castoff.store import artifacts, lease


def resolve(scope: Scope, kind: Kind, version: str) -> Job:
    """Find the version in the store and return the job of bringing it to the scope's hosts.

    Raises:
        UsageError: The version's name could not be one.
        UnknownVersion: The store does not have it.
        CorruptArtifact: Its documents do not match their digests.
    """
    manifest, manifest_bytes = artifacts.fetch_manifest(scope.store, scope.app, version)
    _, table_z = artifacts.fetch_table(scope.store, manifest)
    return Job(
        kind=kind,
        scope=scope,
        manifest=manifest,
        manifest_bytes=manifest_bytes,
        table_z=table_z,
        deadline=time.monotonic() + scope.environment.limits.release,
    )


def look_ahead(job: Job, *, connect: Connect | None = None) -> Plan:
    """Return what `run` would do, host by host, having changed nothing.

    Raises:
        PreflightFailed: Some host cannot be reached, or cannot take the release.
    """
    live = Record.open(job).current
    opening = Opening(app=job.app, target=job.manifest.target, need=_need(job))
    limit = job.environment.limits.connect
    with Fleet(connect or connector(job.hosts), opening, connect_limit=limit) as fleet:
        return make_plan(job, fleet, live=live)


def run(job: Job, timeline: Timeline, *, connect: Connect | None = None) -> None:
    """Carry the job out; return when every host serves the version and has been found healthy.

    Whatever comes of it is in the environment's history afterwards. `prepare` stops at the
    barrier; `activate` wants every host prepared; `rollback` skips the once-only steps.

    Raises:
        Locked: Somebody else is at work on this environment.
        PreflightFailed, PrepareFailed, NotActivated: It stopped before any host flipped.
        RolledBack: It failed after that, and every host is back on what it served before.
        Mixed: It failed after that, and some host could not be brought back.
        StoreError: The store failed; the message says whether hosts had been flipped.
    """
    scope = job.scope
    with lease.held(
        scope.store,
        scope.app,
        scope.environment_name,
        owner=scope.who,
        reason=f"{job.kind} {job.version}",
    ) as heartbeat:
        record = Record.open(job)
        opening = Opening(
            app=job.app,
            token=heartbeat.lease.token,
            owner=f"{job.kind} {job.version} by {scope.who}",
            lock=True,
            target=job.manifest.target,
            need=_need(job),
        )
        limit = job.environment.limits.connect
        with (
            Fleet(connect or connector(job.hosts), opening, connect_limit=limit) as fleet,
            record.written_at_the_end(timeline),
        ):
            preflight(job, fleet, timeline)
            with ArchiveSources(job) as sources:
                offered = None if job.kind == "activate" else sources
                barrier(job, prepare(job, fleet, offered, timeline))
            if job.kind == "prepare":
                return
            heartbeat.check()
            if job.kind != "rollback" and record.current != job.version:
                run_once_steps(job, fleet, timeline)
            heartbeat.check()
            _switch(job, fleet, timeline, record)
            prune(job, fleet, timeline, record)


def _switch(job: Job, fleet: Fleet, timeline: Timeline, record: Record) -> None:
    """Flip, restart, check, confirm; whatever fails in between takes every host back."""
    try:
        failures = activate(job, fleet, timeline)
    except KeyboardInterrupt:
        raise go_back(job, fleet, timeline, [], "interrupted") from None
    if failures:
        raise go_back(job, fleet, timeline, failures, f"{job.version} failed after the barrier")
    record.advance(timeline)
    unconfirmed = on_each(job.hosts, lambda host: confirm(job, fleet, host, job.version)).failures
    for failure in unconfirmed:
        timeline.watch.note(
            f"{failure.host} serves {job.version} but did not note it as good: {failure.detail}"
        )


def _need(job: Job) -> int:
    return job.manifest.archive.size + job.manifest.tree_size
