"""Take a run from phase to phase until it ends."""

from __future__ import annotations

from collections.abc import Callable

from castoff.releaser.colors import paired
from castoff.releaser.course import Course
from castoff.releaser.errors import (
    Defect,
    Mixed,
    NotRecorded,
    TakenOver,
)
from castoff.releaser.machine import ENDS, Phase, Position, after
from castoff.releaser.migrations.warning import stranded
from castoff.releaser.phases import PHASES, reason
from castoff.releaser.secrets.conceal import conceal
from castoff.releaser.site import has_site
from castoff.store.errors import CastoffError, StoreError


def walk(course: Course) -> Phase:
    """Go from phase to phase until one of the ends; return which, `failure` says why."""
    while course.position.phase not in ENDS:
        begun = _begin(course)
        ok = begun and _do(course)
        course.position = after(
            course.position,
            ok=ok,
            kind=course.job.kind,
            untouched=not begun and _is_untouched(course),
            batches=len(course.batches),
            paired=paired(course.job.environment),
            public=course.job.scope.recipe.cdn is not None,
            site=has_site(course.job),
            restores=bool(course.job.restores),
            down=course.job.down is not None,
        )
        if course.position.phase is Phase.PREPARE and course.was_live:
            course.position = Position(Phase.RECORD)
    _warn_of_migrations(course)
    return course.position.phase


def _warn_of_migrations(course: Course) -> None:
    """Say after a failure what older code that serves on may not live with."""
    failure = course.failure
    if isinstance(failure, CastoffError) and course.migrated and course.crossing is not None:
        told = stranded(course.job, course.crossing, live=course.record.current)
        failure.hint = "\n".join(filter(None, (failure.hint, told)))


def _begin(course: Course) -> bool:
    return _went_well(course, _enter)


def _do(course: Course) -> bool:
    return _went_well(course, PHASES[course.position.phase])


def _went_well(course: Course, act: Callable[[Course], None]) -> bool:
    phase = course.position.phase
    try:
        act(course)
    except (CastoffError, KeyboardInterrupt) as error:
        course.fleet.stop_trying()
        course.failure = _named(course, phase, error)
        return False
    except Exception as error:  # noqa: BLE001 (whatever it is, hosts that flipped must go back)
        defect = Defect(f"a defect in Castoff: {type(error).__name__}: {error}")
        defect.__cause__ = error
        course.failure = _named(course, phase, defect)
        return False
    return True


def _is_untouched(course: Course) -> bool:
    """Return whether no host has flipped in this run or in one before it that never ended.

    Then no site was published either. Its lease may be another's by now: what hosts serve is that
    one's matter, and not to be told.
    """
    return not (course.touched or course.log.flipped or course.restored)


def _named(
    course: Course, phase: Phase, error: CastoffError | KeyboardInterrupt
) -> CastoffError | KeyboardInterrupt:
    """Return the error as the reader needs it, who has to know what hosts serve now."""
    conceal(error, course.job.secrets.redact)
    what = error.message if isinstance(error, CastoffError) else "interrupted"
    where = f"--env {course.job.environment_name}"
    if phase is Phase.RECORD and course.log.is_taken_over():
        return TakenOver(
            f"{course.job.version} was live and healthy on every host when a later run took over, "
            f"and what is served now is its matter: {what}",
            [],
            hint=f"`castoff status {where}` says which host runs what.",
        )
    if phase is Phase.RECORD:
        return NotRecorded(
            f"{course.job.version} is live and healthy on every host, but that is not on "
            f"record: {what}",
            hint=f"Put it there: castoff resume {where}",
        )
    if phase is Phase.GO_BACK and not isinstance(error, Mixed):
        return Mixed(
            f"MIXED: {what} while hosts were going back ({reason(course.failure)})",
            [],
            hint=f"Let them: castoff abort {where}",
        )
    return error


def _enter(course: Course) -> None:
    """Note what is about to be done; on the way back nothing may keep us from doing it."""
    phase = course.position.phase
    if phase is Phase.PREFLIGHT and course.was_live:
        course.timeline.watch.phase(phase.value)
        return
    try:
        if phase is not Phase.GO_BACK:
            course.heartbeat.check()
        course.log.enter(course.position)
    except StoreError as lost:
        if phase is not Phase.GO_BACK:
            raise
        course.timeline.watch.note(f"this is not in the store: {lost.message}")
    course.timeline.watch.phase(phase.value)
