"""The secrets of a run, found before anything is done."""

from __future__ import annotations

from pathlib import Path

from castoff.releaser.job import Job
from castoff.releaser.secrets.secrets import NONE, Secrets
from castoff.releaser.secrets.used import needed


def find_needed(job: Job) -> Secrets:
    """Return the secrets that a run may come to need.

    Raises:
        SecretsMissing: Some cannot be had; all of those are named.
    """
    wanted = needed(job)
    if not wanted:
        return NONE
    from castoff.releaser.secrets.find import find_all

    base = Path.cwd() if job.scope.base is None else job.scope.base
    return find_all(wanted, base, environment=job.environment_name)
