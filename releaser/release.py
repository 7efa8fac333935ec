"""The main job: prepare everywhere, wait for all, activate everywhere; or go back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from castoff.releaser import take_over
from castoff.releaser.after_failure import run_failure_steps
from castoff.releaser.aftermath import Aftermath
from castoff.releaser.configuration.files import places, secrets_in
from castoff.releaser.course import Course
from castoff.releaser.early import Early
from castoff.releaser.errors import Aborted, NotConverged, NotRecorded, TakenOver
from castoff.releaser.fleet import Fleet, Opening
from castoff.releaser.go_back import reopen_and_hide
from castoff.releaser.job import Job, Kind, Scope
from castoff.releaser.kept import rights
from castoff.releaser.machine import Phase
from castoff.releaser.migrations.before import before_anything
from castoff.releaser.plan import Plan, make_plan
from castoff.releaser.prune import prune
from castoff.releaser.quarantine_log import QuarantineLog
from castoff.releaser.record import Record
from castoff.releaser.run_log import RunLog
from castoff.releaser.secrets.conceal import concealing
from castoff.releaser.secrets.named import find_named
from castoff.releaser.secrets.nearby import with_nearby
from castoff.releaser.secrets.used import needed
from castoff.releaser.site import has_site, tidy
from castoff.releaser.strategy import batches
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.connect import Connect, connector
from castoff.releaser.walk import walk
from castoff.store import artifacts, condemned, freeze, lease
from castoff.store.errors import StoreError


def resolve(scope: Scope, kind: Kind, version: str) -> Job:
    """Find the version in the store and return the job of bringing it to the scope's hosts.

    Raises:
        UsageError: The version's name could not be one.
        UnknownVersion: The store does not have it.
        Untrusted: The environment wants a signature, and there is none that counts.
        CorruptArtifact: Its documents do not match their digests.
    """
    manifest, manifest_bytes = artifacts.fetch_manifest(
        scope.store, scope.app, version, signers=scope.signers
    )
    _, table_z = artifacts.fetch_table_document(scope.store, manifest)
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
    # What files would say can only be told apart from what they say by those that hold them.
    job = replace(job, secrets=find_named(job.scope, secrets_in(job.scope)))
    opening = Opening(
        app=job.app,
        target=job.manifest.target,
        need=_need(job),
        rights=tuple(rights(job.scope.recipe)),
        files={host.name: places(job.scope, host) for host in job.hosts},
    )
    reach = connect or connector(job.hosts)
    redact = job.secrets.redact
    with (
        concealing(redact),
        Fleet(reach, opening, environment=job.environment, redact=redact) as fleet,
    ):
        return make_plan(job, fleet, live=live)


def run(
    job: Job, timeline: Timeline, *, connect: Connect | None = None, early: Early | None = None
) -> None:
    """Carry the job out; return when every host serves the version and has been found healthy.

    Whatever comes of it is in the environment's history afterwards. `prepare` stops at the
    barrier; `activate` wants every host prepared; `rollback` skips the once-only steps. A job
    with the identifier of an interrupted run goes on with that: `resume.py`.

    Raises:
        Locked: Somebody else is at work on this environment.
        UsageError: An earlier run has to be brought to its end first.
        Incompatible: The version may not live with the database as it is; nothing was done.
        SecretsMissing: Secrets that it may come to need cannot be had; nothing was done.
        PreflightFailed, PrepareFailed, NotActivated: It stopped before any host flipped.
        RolledBack: It failed after that, and every host is back on what it served before.
        TakenOver: It got past that, and a later run had come to some hosts.
        Mixed: It failed after that, and some host could not be brought back.
        NotConverged: Some hosts were brought to the version, and others could not be.
        StoreError: The store failed; the message says whether hosts had been flipped.
        KeyboardInterrupt: It was interrupted before any host flipped.
    """
    with started(job, timeline, connect=connect, early=early) as course:
        end = walk(course)
        finish(course, end)
        if job.kind == "converge" and course.out:
            names = ", ".join(course.out)
            raise NotConverged(
                f"the others serve {job.version}, but these could not be brought to it: {names}",
                list(course.out.values()),
            )


@contextmanager
def started(
    job: Job,
    timeline: Timeline,
    *,
    connect: Connect | None,
    early: Early | None = None,
    frozen_too: bool = False,
) -> Iterator[Course]:
    """Take the environment's lease and yield a course at its beginning; no host is touched yet.

    Once the lease has been given back, people are told what the history has of it.

    Args:
        job: What to do.
        timeline: Where it is recorded.
        connect: How hosts are reached; by the transports that they name if None.
        early: Hosts that are being connected to already.
        frozen_too: Whether a freeze is passed over: bringing hosts back is not releasing.

    Raises:
        Locked: Somebody else is at work on the environment, or has frozen it.
        UsageError: An earlier run has to be brought to its end first.
        Incompatible: The version may not live with the database as it is.
        SecretsMissing: Secrets that it may come to need cannot be had.
        StoreError: The store failed.
    """
    scope = job.scope
    job = replace(job, secrets=with_nearby(find_named(scope, needed(job)), scope))
    timeline.conceal(job.secrets.redact)
    reason = f"{job.kind} {job.version}"
    with (
        concealing(job.secrets.redact),
        Aftermath(scope, timeline) as aftermath,
        lease.held(
            scope.store,
            scope.app,
            scope.environment_name,
            owner=scope.who,
            reason=reason,
            ttl=scope.environment.limits.lease,
        ) as heartbeat,
    ):
        record = Record.open(job)
        record.written = aftermath.add
        token = heartbeat.lease.token
        log = RunLog(job, token=token, from_version=record.current, started=timeline.started)
        # What has flipped hosts already is better brought to its end than left in the middle.
        if not frozen_too and not (log.resumed is not None and log.flipped):
            freeze.check(scope.store, scope.app, scope.environment_name)
        condemned.spare(scope.store, scope.app, version=job.version)
        if log.left is not None:
            take_over.check(job, log.left)
        job, crossing = before_anything(job, record.current, resumed=log.resumed is not None)
        record.crossing, record.down = crossing, job.down
        if log.interrupted is not None:
            record.write_interrupted(log.interrupted, timeline.now())
        fetches = job.kind in ("release", "prepare", "converge") and log.resumed is None
        opening = Opening(
            app=job.app,
            token=token,
            owner=f"{reason} by {scope.who}",
            lock=True,
            target=job.manifest.target,
            need=_need(job) if fetches else 0,
            rights=tuple(rights(job.scope.recipe)) if fetches else (),
            files={host.name: places(scope, host) for host in job.hosts},
        )
        reach = connect or (connector(job.hosts) if early is None else early.connect)
        with Fleet(
            reach, opening, environment=job.environment, redact=job.secrets.redact, early=early
        ) as fleet:
            record.opened = fleet.opened
            aftermath.begin(job, record.current)
            yield Course(
                job=job,
                fleet=fleet,
                timeline=timeline,
                record=record,
                log=log,
                heartbeat=heartbeat,
                quarantine=QuarantineLog.open(scope),
                crossing=crossing,
                everyone=job.hosts,
                batches=batches(job.environment.strategy, job.hosts),
            )


def finish(course: Course, end: Phase) -> None:
    """Write the history, note the end, let old releases leave; raise what stopped the run."""
    watch = course.timeline.watch
    if end is Phase.FAILED and not isinstance(course.failure, (NotRecorded, TakenOver)):
        _take_page_off(course)
    if course.failure is not None and not isinstance(course.failure, (NotRecorded, Aborted)):
        _tell_of_failure(course)
    names = {host.name for host in course.everyone}
    course.timeline.quarantined = {
        name: one
        for name, one in course.quarantine.hosts.items()
        if name in names or not course.job.scope.partial
    }
    try:
        course.log.check()
        number = course.record.write(course.timeline, end, course.failure)
        course.quarantine.number(course.job.release, number)
        _close(course, end)
    except (StoreError, KeyboardInterrupt) as lost:
        why = lost.message if isinstance(lost, StoreError) else "interrupted"
        if course.failure is None:
            raise StoreError(
                f"{course.job.version} is {end.value}, but the history does not have it: {why}",
                hint=f"Put it there: castoff resume --env {course.job.environment_name}",
            ) from lost
        watch.note(f"this is not in the history: {why}")
    if course.failure is not None:
        raise course.failure
    if end is Phase.RELEASED:
        _clear_up(course)


def _clear_up(course: Course) -> None:
    """Let old releases leave; whoever stops that has not stopped the release."""
    try:
        prune(course.job, course.fleet, course.timeline, course.record)
        _tidy_site(course)
    except KeyboardInterrupt:
        course.fleet.stop_trying()
        course.timeline.watch.note(
            "interrupted while old releases were being removed: the next release goes on with that"
        )


def _tidy_site(course: Course) -> None:
    if not has_site(course.job):
        return
    keep = course.record.good[-course.job.environment.keep :]
    try:
        tidy(course.job, keep)
    except StoreError as error:
        course.timeline.watch.note(f"old versions of the site were not removed: {error.message}")


def _tell_of_failure(course: Course) -> None:
    try:
        run_failure_steps(course.job, course.fleet, course.timeline)
    except KeyboardInterrupt:
        course.fleet.stop_trying()
        course.timeline.watch.note("interrupted in the steps of the moment on_failure")


def _take_page_off(course: Course) -> None:
    """Switch off the maintenance page of a run that has changed nothing, unless it is to stay."""
    job, watch = course.job, course.timeline.watch
    if not course.page_on or job.maintenance != "on":
        if course.page_on:
            watch.note("the maintenance page stays on: castoff maintenance off")
        return
    for failure in reopen_and_hide(job, course.fleet, course.timeline, job.hosts):
        watch.note(
            f"{failure.message}: the maintenance page is still on there; "
            f"castoff maintenance off --env {job.environment_name}"
        )


def _close(course: Course, end: Phase) -> None:
    """Note that the run is over, unless it has left something that is still to be mended."""
    log = course.log
    if end is Phase.MIXED:
        log.leave(Phase.GO_BACK)
    elif isinstance(course.failure, NotRecorded) or (end is Phase.FAILED and course.was_live):
        log.leave(Phase.RECORD)
    elif end is Phase.FAILED and log.flipped and not isinstance(course.failure, Aborted):
        log.leave(Phase.PREFLIGHT)
        course.timeline.watch.note(
            "an earlier run had begun to flip hosts and never came to its end: they may serve "
            "different versions. `castoff status` shows it; `castoff resume` or `castoff abort` "
            "mends it"
        )
    else:
        log.end(end)


def _need(job: Job) -> int:
    # How much of the archive comes beside it only the host can say, and says before it fetches.
    return job.manifest.tree_size
