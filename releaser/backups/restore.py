"""Restore a back-up on the host whose step made it: check, fill a copy, let them change places."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from castoff.releaser.backups.at_work import Say, at_work, backup_steps, hosts_of
from castoff.releaser.backups.restoring import Known, Restoring
from castoff.releaser.built_in import ask_built_in, filled
from castoff.releaser.errors import BackupFailed, HostError
from castoff.releaser.job import Scope
from castoff.releaser.migrations.ledger import Ledger
from castoff.releaser.retry import STOPPED_ANSWERING
from castoff.releaser.session import AgentSession, Asked, Event, Given
from castoff.releaser.tail import storable
from castoff.releaser.transports.connect import Connect
from castoff.releaser.whole_lines import whole_lines
from castoff.store import backups, freeze, history, run_document
from castoff.store.deed import DeedDraft
from castoff.store.errors import UsageError

_BLOCK = 256 * 1024
# Seconds beyond the step's own: every byte is read, sent and read again before it is used.
_MORE = 3600.0


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it.

    Attributes:
        what: Which database or paths.
        host: Where.
        kept: What the former content is called now.
        undo: How to go back to it.
    """

    what: str
    host: str
    kept: str
    undo: str

    def words(self) -> str:
        """Return that in a sentence or two."""
        return (
            f"{self.what} on {self.host} is restored; what was there before is kept as "
            f"{self.kept}. To go back: {self.undo}"
        )


def not_restored(failure: HostError) -> str:
    """Return what a failed restore has left, for a sentence about the back-up."""
    if failure.code in STOPPED_ANSWERING:
        return (
            "may be restored or not: the answer did not come. Look at the data, then restore it "
            "once more, which is right in both cases"
        )
    return "was not restored; the data is what it was"


def restoring(scope: Scope, known: Known, identity: Path | None) -> Restoring:
    """Return what restoring a back-up means here.

    Raises:
        UsageError: castoff.toml has no such step or host any more; or the back-up is encrypted
            and nothing is there to decrypt it.
    """
    backup = known.backup
    (step,) = backup_steps(scope, backup.step)
    names = {host.name: host for host in hosts_of(scope, step)}
    wanted = backup.host if known.place != "store" or len(names) > 1 else next(iter(names), "")
    if known.place != "store":
        names = {host.name: host for host in scope.hosts}
    if wanted not in names:
        raise UsageError(
            f"back-up {backup.id} belongs to the host {wanted!r}, which is not among those of "
            f"{scope.environment_name}",
            hint="Put it back into castoff.toml, or restore by hand: docs/how-to/back-ups.md.",
        )
    if step.backup is None or step.backup.kind != backup.kind:
        raise UsageError(
            f"back-up {backup.id} is of kind {backup.kind!r}, and step {step.name!r} is not",
            hint="Set the step's `kind` as it was when the back-up was made.",
        )
    if backup.encryption is not None and identity is None:
        raise UsageError(
            f"back-up {backup.id} is encrypted by {backup.encryption}",
            hint="Give the file with what decrypts it: --identity FILE",
        )
    return Restoring(known, step, names[wanted], _read(identity) if backup.encryption else None)


def restore_now(
    scope: Scope, one: Restoring, say: Say, *, connect: Connect | None = None
) -> Restored:
    """Restore a back-up outside a release, and note it in the history.

    Args:
        scope: Whose.
        one: What to restore.
        say: Called with a host's name and a line that was printed there.
        connect: How hosts are reached; default: as configured.

    Raises:
        Locked: Somebody else is at work on the environment, or has frozen it.
        UsageError: A run has not come to its end.
        CorruptArtifact, BackupFailed: It is damaged, or could not be restored; nothing was touched.
        StoreError: The store cannot be read or written.
    """
    where = (scope.store, scope.app, scope.environment_name)
    with at_work(scope, f"restore {one.identifier}", [one.step], connect=connect) as work:
        freeze.check(*where)
        _require_no_run(scope)
        try:
            version, given = work.open(one.step, one.host)

            def tell(line: str) -> None:
                say(one.host.name, work.secrets.redact(line))

            with whole_lines(tell) as hear:
                session = work.fleet.sessions[one.host.name]
                done = restore(scope, session, one, version=version, given=given, hear=hear)
        except HostError as failure:
            raise BackupFailed(
                f"back-up {one.identifier} {not_restored(failure)}", [failure]
            ) from failure
        version_then = one.known.backup.version
        if one.holds_a_database and version_then is not None:
            # What later versions have migrated is not in this data.
            Ledger(scope).reverse_all_but(version_then)
        reason = storable(f"{one.identifier}: {done.words()}")
        draft = DeedDraft(
            kind="restore",
            who=scope.who,
            job_url=scope.job_url,
            at=time.time(),
            reason=reason,
            only=scope.partial,
        )
        history.append_deed(*where, draft)
    return done


def restore(
    scope: Scope,
    session: AgentSession,
    one: Restoring,
    *,
    version: str,
    given: Mapping[str, str],
    hear: Callable[[Event], None] | None = None,
    only_check: bool = False,
) -> Restored:
    """Have a host restore a back-up; return what came of it.

    Args:
        scope: Whose.
        session: The host's.
        one: What to restore.
        version: The release that it is about.
        given: Variables of the step.
        hear: Called with what the host says meanwhile.
        only_check: Go no further than finding that it is whole and could be restored.

    Raises:
        CorruptArtifact: It is damaged, in the store.
        HostError: `corrupt`: it is damaged, on the host. It could not be restored.
        StoreError: The store cannot be read.
    """
    step, backup = one.step, one.known.backup
    if step.backup is None:
        raise ValueError(f"step {step.name!r} makes no back-up")
    options = step.backup.model_dump(mode="json")
    options["to"] = "store" if one.known.place == "store" else "host"
    limit = step.timeout + _MORE
    with _data(scope, one) as archive:
        done = ask_built_in(
            session,
            "restore",
            Asked(
                timeout=limit + scope.environment.limits.answer,
                on_event=hear,
                archive=Given(archive),
            ),
            version=version,
            name=step.name,
            options=filled(options, {**given, "version": version}),
            description=backup.model_dump(mode="json", by_alias=True),
            identity=one.identity,
            check=only_check,
            env=dict(given),
            user=step.user,
            timeout=limit,
        )
    found = done.model_extra or {}
    return Restored(
        what=backup.name,
        host=one.host.name,
        kept=str(found.get("kept", "")),
        undo=str(found.get("undo", "")),
    )


@contextmanager
def _data(scope: Scope, one: Restoring) -> Iterator[Callable[[int, int], Iterator[bytes]] | None]:
    """Yield what reads a part of the back-up; None where the host has it itself."""
    if one.known.place != "store":
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="castoff-backup-") as folder:
        path = Path(folder) / "data"
        backups.fetch(scope.store, scope.app, scope.environment_name, one.known.backup, path)

        def read(offset: int, length: int) -> Iterator[bytes]:
            with path.open("rb") as file:
                file.seek(offset)
                while length and (block := file.read(min(_BLOCK, length))):
                    yield block
                    length -= len(block)

        yield read


def _require_no_run(scope: Scope) -> None:
    seen = run_document.read(scope.store, scope.app, scope.environment_name)
    if seen is not None and not seen[0].over:
        where = f"--env {scope.environment_name}"
        raise UsageError(
            f"the {seen[0].kind} of {seen[0].version} in {scope.environment_name} has not come to "
            "its end",
            hint=f"First: castoff resume {where}, or castoff abort {where}",
        )


def _read(identity: Path | None) -> str | None:
    if identity is None:
        return None
    try:
        return identity.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or "not UTF-8"
        raise UsageError(f"--identity: {identity} cannot be read: {what}") from error
