"""Have a host make a back-up, and bring it to the store if that is where it is to be."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from castoff.config.model import Step
from castoff.releaser.built_in import perform
from castoff.releaser.errors import HostError
from castoff.releaser.job import Scope
from castoff.releaser.session import AgentSession, Asked, Event
from castoff.store import backups
from castoff.store.backups import Backup
from castoff.store.errors import CastoffError


def take(
    scope: Scope,
    session: AgentSession,
    step: Step,
    asked: Asked,
    *,
    version: str,
    given: Mapping[str, str],
    limit: float,
) -> Backup:
    """Run a step that makes a back-up; return what is known of that.

    What goes to the store comes in blocks over the agent's channel, into a file of this machine:
    neither side ever holds it as a whole in memory, and the host needs no way to the store.

    Args:
        scope: Whose store.
        session: The host's.
        step: The step.
        asked: As `built_in.perform`, like all that follows.
        version: See there.
        given: See there.
        limit: See there.

    Raises:
        HostError: It failed; `step-failed` also where the store did not take it.
    """
    if step.backup is None:
        raise ValueError(f"step {step.name!r} makes no back-up")
    where = (scope.store, scope.app, scope.environment_name)
    with _spool(asked.on_event) as (path, hear):
        done = perform(
            session,
            step,
            replace(asked, on_event=hear),
            version=version,
            given=given,
            limit=limit,
        )
        try:
            backup = backups.read(
                (done.model_extra or {}).get("description"), host=session.host.name
            )
            if step.backup.to == "store":
                backups.keep(*where, backup, path)
        except CastoffError as error:
            raise HostError(
                session.host.name,
                f"step {step.name!r}: the back-up was not kept: {error.message}",
                code="step-failed",
                hint=error.hint,
            ) from error
    if step.backup.to == "store":
        try:
            backups.tidy(*where, backup, most=step.backup.keep)
        except CastoffError as error:
            # This one is made, and that is what the step is for.
            if asked.on_event is not None:
                text = f"older back-ups stay for now: {error.message}\n"
                asked.on_event({"event": "output", "text": text})
    return backup


@contextmanager
def _spool(
    also: Callable[[Event], None] | None,
) -> Iterator[tuple[Path, Callable[[Event], None]]]:
    """Yield a file, and what puts the data of events there."""
    with tempfile.NamedTemporaryFile(prefix="castoff-backup-") as file:

        def hear(event: Event) -> None:
            if event.get("event") == "data":
                file.write(base64.b64decode(str(event.get("data", ""))))
                file.flush()
            elif also is not None:
                also(event)

        yield Path(file.name), hear
