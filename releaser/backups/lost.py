"""What going back to a back-up loses, in words."""

from __future__ import annotations

import time
from collections.abc import Iterator

from castoff.releaser.backups.restoring import Known
from castoff.releaser.job import Scope
from castoff.store import history

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
# Entries of the history that are looked through, and named.
_MOST = 200
_MOST_NAMED = 10


def what_is_lost(scope: Scope, known: Known, *, now: float) -> Iterator[str]:
    """Yield lines: from when the back-up is, how long ago that is, what was released since.

    Args:
        scope: Whose.
        known: The back-up.
        now: Seconds since the epoch.

    Raises:
        StoreError: The store cannot be read.
    """
    backup = known.backup
    about = f" (before {backup.coming})" if backup.coming else ""
    served = f"{backup.version} was live{about}" if backup.version else f"nothing was live{about}"
    yield (
        f"{backup.id}: {backup.kind} {backup.name}, on {backup.host}; "
        f"of {clock(backup.time)}, when {served}"
    )
    yield (
        f"what was written to {backup.name} since, in {age(now - backup.time)}, will not be there "
        "any more; it is kept apart"
    )
    entries = history.entries(scope.store, scope.app, scope.environment_name, limit=_MOST)
    since = [one for one in entries if one.ended > backup.time and one.kind != "prepare"]
    for one in since[:_MOST_NAMED]:
        what = f"#{one.number} {one.kind} {one.version}, {one.outcome}"
        yield f"since then: {what}, {clock(one.ended)}"
    if len(since) > _MOST_NAMED:
        yield f"since then: and {len(since) - _MOST_NAMED} more before those"


def clock(moment: float) -> str:
    """Return a moment as people write it."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def age(seconds: float) -> str:
    """Return how long something is ago, in its two largest units."""
    left = max(round(seconds), 0)
    days, left = divmod(left, _DAY)
    hours, left = divmod(left, _HOUR)
    minutes, left = divmod(left, _MINUTE)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (left, "s")]
    first = next((index for index, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])
