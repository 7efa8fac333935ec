"""What is told of a run: facts alone, the same for every way to tell them; no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from castoff.config.notify_tables import Occasion
from castoff.config.placeholders import filled
from castoff.releaser.job import Job, Scope
from castoff.releaser.notes.notes import Notes, make_notes
from castoff.releaser.notes.write import as_json as notes_json
from castoff.store.history import Draft
from castoff.store.outcomes import Kind

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A run as it is told.

    Attributes:
        number: Its number in the history; None before its end, and where the store had no room.
        started: Seconds since the epoch.
        ended: The same; None before its end.
        detail: What went wrong; empty where nothing did.
        activation_seconds: As in the history.
        downtime_seconds: The longest potential downtime of a host; None if no host flipped.
        only: Which of the hosts it is about, in words; empty for all.
        report_url: Where its page will be; may be empty.
        notes: The commits that lie between the two versions.
    """

    occasion: Occasion
    app: str
    environment: str
    kind: Kind
    version: str
    from_version: str | None
    who: str
    commit: str
    started: float
    notes: Notes
    number: int | None = None
    ended: float | None = None
    detail: str = ""
    activation_seconds: float | None = None
    downtime_seconds: float | None = None
    only: str = ""
    quarantined: tuple[str, ...] = ()
    job_url: str = ""
    report_url: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None before its end."""
        return None if self.ended is None else self.ended - self.started


def of_start(job: Job, from_version: str | None, started: float) -> Message:
    """Return what is told when a run begins."""
    scope = job.scope
    return Message(
        occasion="started",
        app=job.app,
        environment=job.environment_name,
        kind=job.kind,
        version=job.version,
        from_version=from_version,
        who=scope.who,
        commit=job.manifest.source.commit,
        started=started,
        notes=make_notes(job.version, from_version, None),
        only=scope.partial,
        job_url=scope.job_url,
    )


def of_end(scope: Scope, draft: Draft, number: int | None) -> Message:
    """Return what is told of a run that is over, from what the history has of it, or would have."""
    downtimes = [host.downtime_seconds for host in draft.hosts if host.downtime_seconds is not None]
    url = scope.environment.report_url
    places: Mapping[str, object] = {
        "app": scope.app,
        "environment": scope.environment_name,
        "version": draft.version,
        "n": number,
    }
    return Message(
        occasion=draft.outcome,
        app=scope.app,
        environment=scope.environment_name,
        kind=draft.kind,
        version=draft.version,
        from_version=draft.from_version,
        who=draft.who,
        commit=draft.commit,
        started=draft.started,
        notes=make_notes(
            draft.version, draft.from_version, draft.commits, origin=scope.repository.origin()
        ),
        number=number,
        ended=draft.ended,
        detail=draft.detail,
        activation_seconds=draft.activation_seconds,
        downtime_seconds=max(downtimes, default=None),
        only=draft.only,
        quarantined=tuple(row.name for row in draft.quarantined),
        job_url=draft.job_url,
        report_url="" if url is None or number is None else filled(url, places),
    )


def as_json(message: Message) -> dict[str, Any]:
    """Return a message as a value of JSON; docs/how-to/notify.md says what each key means."""
    return {
        "schema": SCHEMA,
        "outcome": message.occasion,
        "app": message.app,
        "environment": message.environment,
        "kind": message.kind,
        "version": message.version,
        "from_version": message.from_version,
        "number": message.number,
        "who": message.who,
        "commit": message.commit,
        "started": message.started,
        "ended": message.ended,
        "seconds": message.seconds,
        "activation_seconds": message.activation_seconds,
        "downtime_seconds": message.downtime_seconds,
        "detail": message.detail,
        "only": message.only,
        "quarantined": list(message.quarantined),
        "job_url": message.job_url or None,
        "report_url": message.report_url or None,
        "notes": notes_json(message.notes),
    }
