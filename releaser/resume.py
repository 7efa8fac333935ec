"""After a controller died: go on with its run, or give it up, from any machine."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from castoff.releaser.errors import Aborted, RolledBack
from castoff.releaser.job import Job, Scope
from castoff.releaser.machine import Phase, Position, past_the_barrier
from castoff.releaser.partial import narrowed
from castoff.releaser.release import finish, resolve, run, started
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.connect import Connect
from castoff.releaser.walk import walk
from castoff.store import run_document
from castoff.store.errors import UsageError
from castoff.store.run_document import RunDocument

_BEFORE_THE_PAGE = frozenset({Phase.PREFLIGHT.value, Phase.PREPARE.value})


def unfinished(scope: Scope) -> RunDocument:
    """Return the run whose controller died before it came to an end.

    Raises:
        UsageError: There is none.
    """
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    if seen is None or seen[0].over:
        raise UsageError(
            f"nothing was interrupted in {scope.environment_name} of {scope.app}",
            hint="`castoff history` shows how the last runs ended.",
        )
    return seen[0]


def resume(scope: Scope, timeline: Timeline, *, connect: Connect | None = None) -> RunDocument:
    """Bring an interrupted run to its end; return what that run was.

    Steps that are over are not repeated: a release that lies on a host is verified and kept, a
    once-only step that ended is passed over. A run that was on its way back goes back.

    Raises:
        UsageError: Nothing was interrupted.
        CastoffError: As `release.run`.
    """
    document = unfinished(scope)
    if document.phase == Phase.GO_BACK.value:
        _give_up(scope, document, timeline, connect)
    else:
        _require_restored(scope, document)
        run(_job(scope, document, timeline), timeline, connect=connect)
    return document


def abort(scope: Scope, timeline: Timeline, *, connect: Connect | None = None) -> RunDocument:
    """Give an interrupted run up; return what that run was.

    If hosts may have flipped, every host goes back to what it called good. Those that castoff.toml
    does not have any more are named and left as they are.

    Raises:
        UsageError: Nothing was interrupted, the run's version is live and healthy already, or
            castoff.toml has none of its hosts any more.
        Mixed: Some host could not be brought back.
    """
    document = unfinished(scope)
    if document.phase == Phase.RECORD.value:
        raise UsageError(
            f"{document.version} was live and healthy on every host when the run was interrupted",
            hint="Finish it with `castoff resume`; then `castoff rollback` takes it back.",
        )
    with suppress(Aborted, RolledBack):
        _give_up(scope, document, timeline, connect)
    return document


def _require_restored(scope: Scope, document: RunDocument) -> None:
    """Return unless back-ups are missing: what decrypts them is nothing that is written down."""
    left = [name for name in document.restores if f"restore {name}" not in document.done]
    if left:
        where = f"--env {scope.environment_name}"
        again = "".join(f" --to-backup {name}" for name in left)
        raise UsageError(
            f"the interrupted rollback to {document.version} had not restored {', '.join(left)}",
            hint=f"Begin it again: castoff rollback {document.version}{again} {where}",
        )


def _give_up(
    scope: Scope, document: RunDocument, timeline: Timeline, connect: Connect | None
) -> None:
    """Take the short way to an end; raises `Aborted`, `RolledBack` or `Mixed` to say which."""
    back = document.flipped or past_the_barrier(Phase(document.phase))
    # Whoever takes a version away need not trust it: its signer may be out of favour by now.
    unasked = replace(scope, signers=None)
    job = _job(unasked, document, timeline, giving_up=True)
    if done := [name for name in document.restores if f"restore {name}" in document.done]:
        timeline.watch.note(
            f"the data stays as {', '.join(done)} had it; what was there before is kept beside it"
        )
    with started(job, timeline, connect=connect, frozen_too=True) as course:
        course.failure = Aborted(f"{document.kind} {document.version} was aborted")
        course.position = Position(Phase.GO_BACK if back else Phase.FAILED)
        # Which hosts were in the middle of something died with the controller: take all of them.
        course.touched.update(host.name for host in job.hosts)
        course.page_on = bool(job.maintenance) and document.phase not in _BEFORE_THE_PAGE
        finish(course, walk(course))


def _job(
    scope: Scope, document: RunDocument, timeline: Timeline, *, giving_up: bool = False
) -> Job:
    """Return the interrupted run's job again, about the same hosts.

    Where nothing is brought forward any more, those that castoff.toml has no more are let go.
    """
    # A host that the run went on without never flipped, and is too late once the others serve.
    past = giving_up or document.phase == Phase.RECORD.value
    chosen = [n for n in document.hosts if not past or n not in document.quarantined]
    by_name = {host.name: host for host in scope.hosts}
    missing = [name for name in chosen if name not in by_name]
    hosts = tuple(by_name[name] for name in chosen if name in by_name)
    where = f"--env {scope.environment_name}"
    if missing and (not hosts or not past):
        raise UsageError(
            f"the interrupted {document.kind} of {document.version} was about hosts that "
            f"castoff.toml does not have any more: {', '.join(missing)}",
            hint="Put them back for as long as it takes to resume. If they are gone for good, "
            f"bring the others to one version: castoff release VERSION {where}; or back: "
            f"castoff abort {where}",
        )
    if missing:
        timeline.watch.note(
            f"GONE: {', '.join(missing)}: castoff.toml does not have them any more, so they are "
            f"left as they are, and may still serve {document.version}"
        )
    pinned = replace(
        scope,
        hosts=hosts,
        environment=narrowed(scope.environment, hosts),
        partial=document.only,
    )
    return replace(
        resolve(pinned, document.kind, document.version),
        release=document.release,
        maintenance=document.maintenance,
        migrate_down=document.migrate_down,
        allow_incompatible=document.allow_incompatible,
    )
