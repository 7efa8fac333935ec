"""Restore back-ups in the middle of a rollback: all are checked before anything is touched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from castoff.config.hosts import ResolvedHost
from castoff.releaser.backups.at_work import backup_steps
from castoff.releaser.backups.known import Survey, survey
from castoff.releaser.backups.restore import not_restored, restore, restoring
from castoff.releaser.backups.restoring import Known, Restoring
from castoff.releaser.colors import color_variables
from castoff.releaser.errors import HostError, NotActivated
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job, Scope
from castoff.releaser.run_log import RunLog
from castoff.releaser.session import AgentSession
from castoff.releaser.steps import variables
from castoff.releaser.timeline import Timeline
from castoff.releaser.transports.connect import Connect
from castoff.releaser.whole_lines import whole_lines
from castoff.store.errors import CorruptArtifact, UsageError

LATEST = "latest"


def chosen(
    scope: Scope,
    version: str,
    names: Sequence[str],
    identity: Path | None,
    *,
    connect: Connect | None = None,
) -> tuple[Restoring, ...]:
    """Return the back-ups that a rollback is to restore.

    Args:
        scope: Whose.
        version: Where the rollback goes.
        names: Identifiers; `latest` stands for the newest one of each back-up step that was made
            while `version` was live.
        identity: File with what decrypts them.
        connect: How hosts are reached; default: as configured.

    Raises:
        UsageError: There is no such back-up; or as `restoring`.
        HostError, CorruptArtifact: There may be: a host does not answer, or a description is
            damaged.
        StoreError: The store cannot be read.
    """
    known = survey(scope, connect=connect)
    found: dict[str, Known] = {}
    for name in names:
        several = _latest(scope, version, known) if name == LATEST else [name]
        for identifier in several:
            one = next((k for k in known.found if k.backup.id == identifier), None)
            if one is None:
                for failure in known.unknown:
                    raise failure
                raise UsageError(
                    f"there is no back-up {identifier!r} of {scope.app} in "
                    f"{scope.environment_name}",
                    hint=f"castoff backups --env {scope.environment_name}",
                )
            found[identifier] = one
    return tuple(restoring(scope, one, identity) for one in found.values())


def restore_all(
    job: Job,
    fleet: Fleet,
    timeline: Timeline,
    log: RunLog,
    show: Callable[[], None],
    restored: Callable[[Restoring], None],
) -> str:
    """Restore the job's back-ups, one after the other; return what came of it, a line for each.

    Args:
        job: The rollback.
        fleet: Its hosts.
        timeline: Where it is recorded.
        log: Where each is noted that is restored; those are passed over.
        show: Called between the checks and the first restore: puts the maintenance page on.
        restored: Called after each, before it is noted: a later one may fail.

    Raises:
        NotActivated: One is damaged or cannot be restored; the message says which were before it.
    """
    left = [one for one in job.restores if one.mark not in log.done]
    told = ""
    for one in left:
        _do(job, fleet, timeline, one, told, only_check=True)
    show()
    for one in left:
        done = _do(job, fleet, timeline, one, told, only_check=False)
        timeline.irreversible()
        restored(one)
        log.finish_step(one.mark)
        told += f"\n  {done}"
    return told


def _do(
    job: Job, fleet: Fleet, timeline: Timeline, one: Restoring, told: str, *, only_check: bool
) -> str:
    """Check or restore one back-up; return what came of it, in words."""
    host = one.host
    colors = color_variables(job.environment, fleet.colors.get(host.name))
    secrets = job.secrets.only(one.step.secrets)
    given = {**variables(job, host, job.version), **colors, **one.step.env, **secrets}
    name = f"check back-up {one.step.name}" if only_check else f"restore {one.step.name}"

    def say(line: str) -> None:
        timeline.watch.output(host.name, name, line)

    try:
        with timeline.step(host.name, name), whole_lines(say) as hear:
            done = restore(
                job.scope,
                _session(fleet, host),
                one,
                version=job.version,
                given=given,
                hear=hear,
                only_check=only_check,
            )
            if not only_check:
                # The history keeps a step's last lines, for whoever has to go back later.
                say(done.words())
    except (HostError, CorruptArtifact) as failure:
        failures = [failure] if isinstance(failure, HostError) else []
        state = not_restored(failure) if isinstance(failure, HostError) else "was not restored"
        why = "" if failures else f": {failure.message}"
        raise NotActivated(
            f"nothing was activated: back-up {one.identifier} {state}{why}{told}",
            failures,
            hint=failure.hint,
        ) from failure
    return done.words()


def _session(fleet: Fleet, host: ResolvedHost) -> AgentSession:
    session = fleet.sessions.get(host.name)
    if session is None:
        raise HostError(host.name, "it takes no part in this rollback", code="missing")
    return session


def _latest(scope: Scope, version: str, known: Survey) -> list[str]:
    by_hand = "Name the one to restore: --to-backup ID. `castoff backups` has them."
    for failure in known.unknown:
        # It may be the latest that is not known.
        raise UsageError(
            f"which back-up is the latest cannot be told: {failure.message}", hint=by_hand
        ) from failure
    newest = {
        one.backup.step: one.backup.id for one in known.found if one.backup.version == version
    }
    missing = [step.name for step in backup_steps(scope) if step.name not in newest]
    if missing:
        raise UsageError(
            f"no back-up of step {missing[0]!r} was made while {version} was live", hint=by_hand
        )
    return list(newest.values())
