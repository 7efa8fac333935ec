"""The phases of a run, one function each."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Moment
from castoff.releaser.activate import check_all, confirm, flip_all, run_last_steps
from castoff.releaser.backups.in_rollback import restore_all
from castoff.releaser.backups.restoring import Restoring
from castoff.releaser.blue_green import start_idle
from castoff.releaser.colors import gated
from castoff.releaser.configuration.rendered import render_all
from castoff.releaser.course import Course
from castoff.releaser.documents import Documents
from castoff.releaser.errors import (
    BatchFailed,
    FleetError,
    HostError,
    Mixed,
    NotActivated,
    PreflightFailed,
    PrepareFailed,
    RolledBack,
    TakenOver,
)
from castoff.releaser.gate import pass_gate
from castoff.releaser.go_back import go_back
from castoff.releaser.machine import Phase
from castoff.releaser.maintenance import hide, page_of, show
from castoff.releaser.migrations.down import take_back
from castoff.releaser.migrations.ledger import Ledger
from castoff.releaser.on_each import on_each
from castoff.releaser.once import run_once_steps
from castoff.releaser.preflight import preflight
from castoff.releaser.prepare import barrier, prepare
from castoff.releaser.public_assets import check_public
from castoff.releaser.quarantine import let_out, put_in_quarantine
from castoff.releaser.site import has_site, publish, restore, stage
from castoff.releaser.sources import ArchiveSources
from castoff.store.errors import CastoffError


def _preflight(course: Course) -> None:
    environment = course.job.environment
    if course.job.maintenance:
        # That it cannot be read is better known before anything is done.
        page_of(course.job.scope)
    if environment.stragglers.policy != "wait":
        until = time.monotonic() + environment.limits.host
        course.job = replace(course.job, host_deadline=until)
    course.documents = Documents(course.job)
    there = course.job.kind in ("rollback", "activate")
    course.documents.begin(course.job.version if there else course.record.current)
    try:
        preflight(course.job, course.fleet, course.timeline)
    except PreflightFailed as failed:
        course.go_without(failed)
    shown = [name for name, opened in course.fleet.opened.items() if opened.state.maintenance]
    if shown and not course.job.maintenance:
        course.timeline.watch.note(
            f"the maintenance page is on and stays on ({', '.join(sorted(shown))}): "
            "castoff maintenance off"
        )


def _prepare(course: Course) -> None:
    job = course.job
    with ArchiveSources(job) as sources:
        configuration = render_all(job, course.fleet, sources, job.hosts)
        for note in configuration.notes:
            course.timeline.watch.note(note)
        offered = None if job.kind == "activate" else sources
        documents = course.documents or Documents(job)
        prepared = prepare(job, course.fleet, offered, course.timeline, configuration, documents)
    try:
        barrier(job, prepared)
    except PrepareFailed as failed:
        course.go_without(failed)
    course.job = job = replace(course.job, host_deadline=math.inf)
    course.log.go_without(course.out)
    left_out = [host for host in course.everyone if host.name in course.out]
    put_in_quarantine(job, course.fleet, course.timeline, course.quarantine, course.out, left_out)


def _once(course: Course, moment: Literal["backup", "once"]) -> None:
    # What is live already has been migrated to; running that again would change nothing.
    live = course.record.current == course.job.version
    run_once_steps(course.job, course.fleet, course.timeline, course.log, moment, live=live)


def _migrate(course: Course) -> None:
    job = course.job
    course.migrated = True
    if job.down is None:
        _once(course, "once")
    else:
        take_back(job, course.fleet, course.timeline, course.log, job.down)


def _assets(course: Course) -> None:
    if has_site(course.job):
        stage(course.job)
    check_public(course.job)


def _backup(course: Course) -> None:
    _show_page(course)
    _once(course, "backup")


def _show_page(course: Course) -> None:
    if course.job.maintenance:
        course.page_on = True
        show(course.fleet, course.timeline, course.job.scope, course.job.hosts)


def _restore(course: Course) -> None:
    job = course.job

    def restored(one: Restoring) -> None:
        if one.holds_a_database:
            Ledger(job.scope).reverse_all_but(job.version)

    course.restored = restore_all(
        job, course.fleet, course.timeline, course.log, lambda: _show_page(course), restored
    )


def _idle(course: Course) -> None:
    start_idle(course.job, course.fleet, course.timeline)
    if not gated(course.job.environment.strategy):
        return
    try:
        _pass(course, course.job.hosts, "check_idle")
    except BatchFailed as error:
        summary = error.message.splitlines()[0]
        raise NotActivated(f"nothing was activated: {summary}", error.failures) from error


def _flip(course: Course) -> None:
    for host in course.batch:
        # Time that is up already would be found by the first restart, and be needless downtime.
        course.job.within(host.name, 1)
    course.touched.update(host.name for host in course.batch)
    _raise(course, flip_all(course.job, course.fleet, course.timeline, course.batch))


def _check(course: Course) -> None:
    job = course.job
    _raise(course, check_all(job, course.fleet, course.timeline, course.batch))
    if course.position.batch + 1 < len(course.batches):
        return
    serves = dict.fromkeys((host.name for host in job.hosts), job.version)
    _raise(course, run_last_steps(job, course.fleet, course.timeline, serves))
    if job.maintenance:
        _raise(course, hide(course.fleet, course.timeline, job.scope, job.hosts))


def _gate(course: Course) -> None:
    flipped = [host for batch in course.batches[: course.position.batch] for host in batch]
    _pass(course, flipped, "after_activate")


def _pass(course: Course, ready: Sequence[ResolvedHost], checks: Moment) -> None:
    started = time.monotonic()
    pass_gate(course.job, course.fleet, course.timeline, ready, checks)
    # Soaking and thinking are not what the release's time limit is about.
    waited = time.monotonic() - started
    course.job = replace(course.job, deadline=course.job.deadline + waited)


def _publish(course: Course) -> None:
    course.job.within("the site", 1)
    publish(course.job, old=course.record.current)


def _record(course: Course) -> None:
    try:
        course.record.advance()
    finally:
        # It is healthy whatever the store says: a host that has to go back must come back to it.
        _confirm(course)


def _confirm(course: Course) -> None:
    job, fleet = course.job, course.fleet

    def confirm_one(host: ResolvedHost) -> None:
        try:
            confirm(job, fleet, host, job.version)
        except HostError:
            # Only the connection may have been lost, and this is what later failures go back to.
            fleet.opening = fleet.opening.for_going_back()
            again = job.environment.limits.reconnect
            fleet.open_patiently(host, patience=dict.fromkeys(("busy", "lost"), again))
            confirm(job, fleet, host, job.version)

    results = on_each(job.hosts, confirm_one)
    for failure in results.failures:
        course.timeline.watch.note(
            f"{failure.host} serves {job.version} but did not note it as good: {failure.detail}; "
            f"castoff release {job.version} makes it do so"
        )
    let_out(job, course.timeline, course.quarantine, results.values.keys())


def _go_back(course: Course) -> None:
    error = course.failure
    failures: list[HostError] = error.failures if isinstance(error, FleetError) else []
    taken_over = course.log.is_taken_over
    outcome = go_back(
        course.job,
        course.fleet,
        course.timeline,
        failures,
        reason(error),
        course.touched,
        taken_over,
    )
    good = course.record.current
    if has_site(course.job) and taken_over():
        # Nothing but we ourselves would keep us from writing over what it has published.
        if isinstance(outcome, RolledBack):
            outcome = TakenOver(
                f"{reason(error)}; a later run has taken over the site, and what is served there "
                "is its matter",
                failures,
                hint=f"`castoff status --env {course.job.environment_name}` says what is live.",
            )
    elif has_site(course.job) and good is not None:
        try:
            restore(course.job, good=good)
        except CastoffError as stuck:
            raise Mixed(
                f"MIXED: {reason(error)}, and the site could not be brought back to {good}: "
                f"{stuck.message}",
                outcome.failures,
                hint=f"Mend that, then: castoff abort --env {course.job.environment_name}",
            ) from stuck
    if course.restored:
        outcome.hint = f"{outcome.hint}\nThe data is that of the back-up:{course.restored}"
    if isinstance(outcome, Mixed):
        raise outcome
    course.failure = outcome


def reason(error: CastoffError | KeyboardInterrupt | None) -> str:
    """Return the first line of what stopped a run."""
    return error.message.splitlines()[0] if isinstance(error, CastoffError) else "interrupted"


def _raise(course: Course, failures: list[HostError]) -> None:
    if failures:
        raise BatchFailed(f"{course.job.version} failed after the barrier", failures)


# What each phase does; they raise what goes wrong.
PHASES: dict[Phase, Callable[[Course], None]] = {
    Phase.PREFLIGHT: _preflight,
    Phase.PREPARE: _prepare,
    Phase.ASSETS: _assets,
    Phase.BACKUP: _backup,
    Phase.MIGRATE: _migrate,
    Phase.RESTORE: _restore,
    Phase.IDLE: _idle,
    Phase.FLIP: _flip,
    Phase.CHECK: _check,
    Phase.GATE: _gate,
    Phase.PUBLISH: _publish,
    Phase.RECORD: _record,
    Phase.GO_BACK: _go_back,
}
