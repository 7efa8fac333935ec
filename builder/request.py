"""What a caller wants built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from castoff.builder.cache import DEFAULT_BOUND
from castoff.config.app_tables import App


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build.

    Attributes:
        repository: The folder of castoff.toml, in a git repository.
        app: The app's name.
        recipe: Its table in castoff.toml.
        output: `artifacts/`; made when missing.
        ref: The commit, by any name that git knows.
        version: What to call it; derived from the commit if None.
        dirty: Whether to build the working tree's tracked files instead of the commit.
        environment: The caller's, of which tools get what `environment` lets through.
        cache: The user's folder for what builds may find again; None keeps nothing. The result
            does not depend on it.
        cache_bound: How many bytes of results it may hold when the build is done; none at all if
            0. What each installer keeps has the same bound for itself; asset tools that were
            fetched do not count.
        workers: How many threads and processes work at once; the result does not depend on it.
    """

    repository: Path
    app: str
    recipe: App
    output: Path
    ref: str = "HEAD"
    version: str | None = None
    dirty: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cache: Path | None = None
    cache_bound: int = DEFAULT_BOUND
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
