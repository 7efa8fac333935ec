"""What to say after a failure that leaves a schema to code which may not live with it."""

from __future__ import annotations

from castoff.releaser.job import Job
from castoff.releaser.migrations.crossing import Crossing, listed


def stranded(job: Job, crossing: Crossing, *, live: str | None) -> str:
    """Return what the version that serves on has to live with; empty if that is nothing.

    Args:
        job: The job that failed once migrations had begun.
        crossing: What lay before it.
        live: The version that was live before it, and is again.
    """
    where = f"--env {job.environment_name}"
    if job.down is not None:
        gone = ", ".join(one.text for one in job.down.gone)
        return (
            f"Migrations were taken back, or may have been: {gone}. {live} may not live without "
            f"them: castoff release {live} {where} runs them again, or roll back once more."
        )
    if not crossing.no_way_back or live is None:
        return ""
    return (
        f"Migrations of {job.version} stay that {live}, which serves, may not live with:\n"
        f"{listed(crossing.no_way_back, crossing.live_code)}\n"
        f"Mend the cause and release again, or take them back: castoff rollback {live} {where} "
        "--migrate-down, or --to-backup latest."
    )
