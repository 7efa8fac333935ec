"""A lock that a running migration itself holds, whatever becomes of the agent that began it."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layout import Layout
    from ..messages import Channel
    from .deadline import Deadline

_FILE = "migrate.lock"
# Seconds between two looks at it.
_LOOK = 0.1


@contextmanager
def only_one(layout: Layout, channel: Channel, deadline: Deadline) -> Iterator[int]:
    """Wait until no migration runs on this host; hold that as long as the context lasts.

    The host's own lock goes with the agent. One that was killed leaves behind the migration that
    it began, which has inherited this lock's descriptor and holds it to its end.

    Args:
        layout: Where the lock lies.
        channel: Told of the wait.
        deadline: How long to wait.

    Yields:
        The descriptor, for the migration to inherit.

    Raises:
        AgentError: `step-timeout`.
    """
    path = os.path.join(layout.meta, _FILE)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        told = False
        while not _taken(descriptor):
            if not told:
                text = "waiting for a migration that an earlier run has begun on this host\n"
                channel.event("output", deadline.at, text=text)
                told = True
            time.sleep(min(_LOOK, deadline.left()))
        yield descriptor
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
