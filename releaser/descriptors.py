"""Enough file descriptors for a connection to each host."""

from __future__ import annotations

import resource
from collections.abc import Sequence

from castoff.config.hosts import ResolvedHost
from castoff.store.errors import UsageError

# What a host takes: a socket, and one to the SSH agent while it logs in; of a local one three pipes
# and what waits for them.
_OF_TRANSPORT = {"ssh": 2, "local": 5}
# All else: the terminal, the store's connections, modules that are being loaded, steps here.
_OTHERS = 128


def make_room(hosts: Sequence[ResolvedHost]) -> None:
    """Raise this process's own limit of open files to what connections to all hosts take.

    No further than that: the limit is handed down to the commands of steps, and some of those
    (select(2)) cannot bear a high one.

    Raises:
        UsageError: The system does not allow so many.
    """
    needed = _OTHERS + sum(_OF_TRANSPORT[host.transport] for host in hosts)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(
            f"{len(hosts)} hosts at once need {needed} open files, and {hard} are allowed",
            hint=f"Raise the hard limit (ulimit -Hn {needed}; LimitNOFILE= in a unit of systemd; "
            "/etc/security/limits.conf), or choose fewer hosts with --only.",
        )
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{len(hosts)} hosts at once need {needed} open files, {soft} are allowed, and that "
            f"cannot be raised: {error}",
            hint=f"Raise it first: ulimit -n {needed}",
        ) from error
