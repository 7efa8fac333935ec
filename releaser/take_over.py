"""Whether a run may begin over another one that never came to its end; no I/O."""

from __future__ import annotations

from castoff.releaser.job import Job
from castoff.releaser.machine import Phase
from castoff.store.errors import UsageError
from castoff.store.run_document import RunDocument


def check(job: Job, left: RunDocument) -> None:
    """Return if the job brings what the unfinished run left to an end, or leaves it as it is.

    Args:
        job: What is to begin.
        left: The last run of its environment, another one, which is not over.

    Raises:
        UsageError: The job would forget hosts that run may have flipped, or what is live.
    """
    where = f"--env {job.environment_name}"
    run = f"the {left.kind} of {left.version} in {job.environment_name} has not come to its end"
    chosen = {host.name for host in job.hosts}
    # Where castoff.toml has none of its hosts any more, nobody could resume it.
    orphaned = not job.scope.partial and chosen.isdisjoint(left.hosts)
    if left.phase == Phase.RECORD.value and not orphaned:
        # Hosts call that version good already, or are about to: whatever failed now would take
        # some to it and others to the one before.
        raise UsageError(
            f"{run}: {left.version} is live and healthy, but that is not on record yet",
            hint=f"First: castoff resume {where}. A host that is gone for good: take it out of "
            "castoff.toml before that.",
        )
    mend = (
        f"First castoff resume {where}, or castoff abort {where}; or bring all hosts of "
        f"castoff.toml to one version: castoff release VERSION {where}"
    )
    if job.kind == "converge":
        raise UsageError(run, hint=mend)
    if not left.flipped:
        return
    if job.kind == "prepare":
        raise UsageError(f"{run}, and hosts may serve different versions", hint=mend)
    if not job.scope.partial:
        return
    held = set(left.hosts) - set(left.quarantined)
    missed = held - chosen
    if missed:
        raise UsageError(
            f"{run}, and it is also about hosts that are not chosen now: "
            f"{', '.join(name for name in left.hosts if name in missed)}",
            hint=f"{mend}. A host that is gone for good: take it out of castoff.toml first.",
        )
