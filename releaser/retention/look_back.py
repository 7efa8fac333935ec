"""How much of an environment's history has to be read to find the good versions in it."""

from __future__ import annotations

import math

from castoff.releaser.retention.lineage import good_versions
from castoff.store import history
from castoff.store.backend import Store
from castoff.store.history import Entry

# How many runs are read at first, and how many times as many next.
_AT_FIRST = 200
_TIMES = 4


def look_back(
    store: Store, app: str, environment: str, *, good: int, since: float = math.inf
) -> list[Entry]:
    """Return the newest runs, newest first, as far back as is wanted or as there are any.

    Failures and preparations in any number do not hide the good versions before them.

    Args:
        store: Where the history is kept.
        app: The app.
        environment: The environment.
        good: How many good versions they should hold.
        since: Seconds since the epoch; all runs that ended after this are among them.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: An entry does not fit its schema.
    """
    limit = _AT_FIRST
    while True:
        runs = history.entries(store, app, environment, limit=limit)
        if len(runs) < limit:
            return runs
        if len(good_versions(reversed(runs))) >= good and runs[-1].ended < since:
            return runs
        limit *= _TIMES
