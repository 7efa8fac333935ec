"""What the database has had done to it that a version's code does not know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from castoff.releaser.errors import Incompatible
from castoff.releaser.job import Job, Scope
from castoff.releaser.migrations.ledger import Ledger
from castoff.store.errors import UnknownVersion
from castoff.store.manifest import Manifest
from castoff.store.migrations import (
    Migration,
    all_of,
    incompatible,
    known,
    reasons,
    to_run,
    unknown_to,
)

# Versions whose manifests are read: what was run long before, later versions know too.
_MOST = 6


@dataclass(frozen=True, slots=True)
class Crossing:
    """What lies between the database as it may be and the code of a job's version.

    Attributes:
        crossed: Migrations that may be in the database and that the code does not know.
        in_the_way: Those of them that it cannot live with, or may not.
        to_run: Migrations that a migrate step has to run for it.
        no_way_back: Those of its own that the version which is live cannot live with, or may not.
        knowing: Versions whose migrations may be in the database, the latest first.
        code: What the job's version knows.
        live_code: What the version that is live knows.
    """

    crossed: tuple[Migration, ...]
    in_the_way: tuple[Migration, ...]
    to_run: tuple[Migration, ...]
    no_way_back: tuple[Migration, ...]
    knowing: tuple[Manifest, ...]
    code: frozenset[str]
    live_code: frozenset[str]


def look(job: Job, *, live: str | None) -> Crossing:
    """Find out from manifests and the environment's log of migrations; no host is asked.

    Args:
        job: The job.
        live: The version that the environment's channel calls current.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: A manifest or the log does not fit its schema.
    """
    own = job.manifest.migrations
    code = known(own)
    manifests = tuple(_manifests(job, Ledger(job.scope), live))
    found: dict[str, Migration] = {}
    for manifest in manifests:
        for one in unknown_to(manifest.migrations, code):
            found.setdefault(one.id, one)
    there = frozenset(each for manifest in manifests for each in known(manifest.migrations))
    serving = next((m for m in manifests if m.version == live), None)
    live_code = code if serving is None else known(serving.migrations)
    return Crossing(
        crossed=tuple(found.values()),
        in_the_way=incompatible(found.values(), code),
        to_run=to_run(own, there),
        no_way_back=() if serving is None else incompatible(unknown_to(own, live_code), live_code),
        knowing=manifests,
        code=code,
        live_code=live_code,
    )


def check(job: Job, crossing: Crossing) -> None:
    """Return unless the version's code may not live with the database.

    Raises:
        Incompatible: It may not.
    """
    if not crossing.in_the_way:
        return
    rollback = f"castoff rollback {job.version} --env {job.environment_name}"
    raise Incompatible(
        f"{job.version} may not live with the database of {job.environment_name}, which has had "
        f"migrations since that it does not know:\n{listed(crossing.in_the_way, crossing.code)}",
        hint=f"Take them back, with the code that knows them: {rollback} --migrate-down. "
        f"Or go back to the data of before: {rollback} --to-backup latest. If it lives with them "
        "all the same, say so: --allow-incompatible.",
    )


def listed(migrations: tuple[Migration, ...], code: frozenset[str]) -> str:
    """Return a line for each migration, with why code may not live with it."""
    return "\n".join(f"  {name}: {why}" for name, why in reasons(migrations, code))


def _manifests(job: Job, ledger: Ledger, live: str | None) -> Iterator[Manifest]:
    """Yield those of versions whose migrations may have been run after the job's version's own."""
    applied = ledger.applied
    if job.version in applied:
        applied = applied[: applied.index(job.version)]
    states = {entry.state for entry in ledger.entries if entry.version == live}
    if live is not None and states != {"reversed"}:
        applied = (*applied[: _MOST - 1], live)
    for version in dict.fromkeys(applied[:_MOST]):
        if version == job.version:
            yield job.manifest
        elif (manifest := manifest_of(job.scope, version)) is not None:
            yield manifest


def manifest_of(scope: Scope, version: str) -> Manifest | None:
    """Return a version's manifest, or None if the store does not have it any more."""
    try:
        return scope.manifest(version)
    except UnknownVersion:
        return None


def names(migrations: tuple[Migration, ...]) -> tuple[str, ...]:
    """Return what migrations are called in messages."""
    return tuple(one.text for one in migrations)


def knows_all(manifest: Manifest, migrations: tuple[Migration, ...]) -> bool:
    """Whether a version's code has all of some migrations, and could take them back."""
    return {one.id for one in migrations} <= all_of(manifest.migrations).keys()
