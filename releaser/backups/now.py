"""Make back-ups outside a release, by the steps that make them in one."""

from __future__ import annotations

import time

from castoff.releaser.backups.at_work import Say, at_work, backup_steps, hosts_of
from castoff.releaser.backups.take import take
from castoff.releaser.errors import BackupFailed, HostError
from castoff.releaser.job import Scope
from castoff.releaser.session import Asked
from castoff.releaser.tail import storable
from castoff.releaser.transports.connect import Connect
from castoff.releaser.whole_lines import whole_lines
from castoff.store import history
from castoff.store.backups import Backup
from castoff.store.deed import DeedDraft


def back_up_now(
    scope: Scope, name: str | None, say: Say, *, connect: Connect | None = None
) -> list[Backup]:
    """Run the back-up steps, or the one of a name; return what was made.

    Nothing that serves changes, so a freeze does not hinder it.

    Args:
        scope: Whose data.
        name: Which step; None for all.
        say: Called with a host's name and a line that a step printed there.
        connect: How hosts are reached; default: as configured.

    Raises:
        UsageError: There is no such step.
        SecretsMissing: A secret cannot be had.
        Locked: Somebody else is at work on the environment.
        BackupFailed: A step failed; those before it have made theirs.
        StoreError: The store cannot be read or written.
    """
    steps = backup_steps(scope, name)
    made: list[Backup] = []
    with at_work(scope, "backup", steps, connect=connect) as work:
        for step in steps:
            for host in hosts_of(scope, step):
                try:
                    version, given = work.open(step, host)

                    def tell(line: str, where: str = host.name) -> None:
                        say(where, work.secrets.redact(line))

                    with whole_lines(tell) as hear:
                        limit = step.timeout + scope.environment.limits.answer
                        made.append(
                            take(
                                scope,
                                work.fleet.sessions[host.name],
                                step,
                                Asked(timeout=limit, on_event=hear),
                                version=version,
                                given=given,
                                limit=step.timeout,
                            )
                        )
                except HostError as failure:
                    raise BackupFailed(f"back-up {step.name!r} failed", [failure]) from failure
        history.append_deed(
            scope.store,
            scope.app,
            scope.environment_name,
            DeedDraft(
                kind="backup",
                who=scope.who,
                job_url=scope.job_url,
                at=time.time(),
                reason=storable(", ".join(backup.id for backup in made)),
                only=scope.partial,
            ),
        )
    return made
