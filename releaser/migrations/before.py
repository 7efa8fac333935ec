"""What has to be known of migrations before a run does anything."""

from __future__ import annotations

from dataclasses import replace

from castoff.releaser.errors import Incompatible
from castoff.releaser.job import Job
from castoff.releaser.migrations.crossing import Crossing, check, look
from castoff.releaser.migrations.down import plan_down

# Runs that bring code to hosts which was not there, or not last; `prepare` puts nothing live, and
# `converge` only what is live.
_KINDS = ("release", "activate", "rollback")


def before_anything(job: Job, live: str | None, *, resumed: bool) -> tuple[Job, Crossing | None]:
    """Return the job with what it takes back, and what lies before it; refuse what cannot be.

    Args:
        job: The job.
        live: The version that the environment's channel calls current.
        resumed: Whether it goes on with a run that was let through already.

    Raises:
        Incompatible: The version's code may not live with the database.
        UsageError: Nothing could take migrations back.
        StoreError: The store cannot be read.
    """
    if job.kind not in _KINDS:
        return job, None
    crossing = look(job, live=live)
    if job.migrate_down:
        try:
            return replace(job, down=plan_down(job, crossing)), crossing
        except Incompatible:
            # What it has begun to take back, the code that knows it may say no more about.
            if not resumed:
                raise
    # A back-up brings the schema along; what serves already is not put in danger by serving on.
    elif not (resumed or job.restores or job.allow_incompatible or job.version == live):
        check(job, crossing)
    return job, crossing
