"""What the shell offers for a word that is not finished: names in castoff.toml, versions.

Nothing is said where castoff.toml or the store cannot be read: the command itself will tell.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

from castoff.store.errors import CastoffError

_MANIFEST = ".manifest.json"
# Seconds for which somebody who has pressed Tab waits for a store that does not answer.
_PATIENCE = 3
# A folder may be gone, the current one too.
_UNREADABLE = (CastoffError, OSError)


def environments(ctx: Any, incomplete: str) -> list[str]:
    """Return the environments that begin so."""
    return _of_outline(ctx, "environments", incomplete)


def apps(ctx: Any, incomplete: str) -> list[str]:
    """Return the apps that begin so."""
    return _of_outline(ctx, "apps", incomplete)


def stored_versions(ctx: Any, incomplete: str) -> list[str]:
    """Return the versions in the store that begin so, newest first."""
    from castoff.cli.names import open_names
    from castoff.store import listing

    try:
        names = open_names(_config(ctx), ctx.params.get("app"))
        with _in_time():
            found = [info.version for info in listing.versions(names.store, names.app)]
    except _UNREADABLE:
        return []
    return [version for version in found if version.startswith(incomplete)]


def built_versions(ctx: Any, incomplete: str) -> list[str]:
    """Return the versions in artifacts/ that begin so."""
    from castoff.cli.names import open_names

    try:
        path = _found(ctx)
        app = open_names(path, ctx.params.get("app")).app
    except _UNREADABLE:
        return []
    there = (path.parent / "artifacts").glob(f"{app}-{glob.escape(incomplete)}*{_MANIFEST}")
    return sorted(found.name[len(app) + 1 : -len(_MANIFEST)] for found in there)


@contextmanager
def _in_time() -> Iterator[None]:
    """End the program, which has nothing to offer then, where the block takes too long."""
    # No exception: whoever waits for a server in another thread would be waited for.
    timer = Timer(_PATIENCE, os._exit, (0,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _of_outline(ctx: Any, what: str, incomplete: str) -> list[str]:
    from castoff.config.outline import read_outline

    try:
        outline = read_outline(_found(ctx))
    except _UNREADABLE:
        return []
    names = getattr(outline, what, ())
    return [name for name in names if name.startswith(incomplete)]


def _config(ctx: Any) -> Path | None:
    given = ctx.params.get("config")
    return Path(given) if given else None


def _found(ctx: Any) -> Path:
    from castoff.config.find import find

    return _config(ctx) or find(Path.cwd())
