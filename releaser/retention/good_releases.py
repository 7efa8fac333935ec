"""Which releases hosts probably have, told by what was good in any environment lately."""

from __future__ import annotations

from itertools import chain, zip_longest

from castoff.releaser.retention.lineage import good_versions
from castoff.releaser.retention.needed import environments
from castoff.store import channel, history
from castoff.store.backend import Store

# A push must not wait for years of history.
_RUNS = 20


def last_good(store: Store, app: str, count: int) -> list[str]:
    """Return the last good versions of all environments, at most so many.

    What is live in each environment comes first, then what was good before it in each, and so on,
    as far as the last runs tell.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: A document there does not fit its schema.
    """
    if not count:
        return []
    stacks = [_of(store, app, environment) for environment in sorted(environments(store, app))]
    in_turn = chain.from_iterable(zip_longest(*stacks))
    return list(dict.fromkeys(version for version in in_turn if version is not None))[:count]


def _of(store: Store, app: str, environment: str) -> list[str]:
    """Return the good versions of an environment, the live one first."""
    pointer = channel.read(store, app, environment)
    found = [] if pointer is None else [pointer[0].current, pointer[0].previous]
    runs = history.entries(store, app, environment, limit=_RUNS)
    found += reversed(good_versions(reversed(runs)))
    return list(dict.fromkeys(version for version in found if version is not None))
