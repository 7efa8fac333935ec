"""What the shell offers for a word that is not finished: names in castoff.toml, versions.

Nothing is said where castoff.toml or the store cannot be read: the command itself will tell.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from castoff.store.errors import CastoffError

_MANIFEST = ".manifest.json"


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
        found = [info.version for info in listing.versions(names.store, names.app)]
    except CastoffError:
        return []
    return [version for version in found if version.startswith(incomplete)]


def built_versions(ctx: Any, incomplete: str) -> list[str]:
    """Return the versions in artifacts/ that begin so."""
    from castoff.cli.names import open_names

    try:
        path = _found(ctx)
        app = open_names(path, ctx.params.get("app")).app
    except CastoffError:
        return []
    there = (path.parent / "artifacts").glob(f"{app}-{glob.escape(incomplete)}*{_MANIFEST}")
    return sorted(found.name[len(app) + 1 : -len(_MANIFEST)] for found in there)


def _of_outline(ctx: Any, what: str, incomplete: str) -> list[str]:
    from castoff.config.outline import read_outline

    try:
        outline = read_outline(_found(ctx))
    except CastoffError:
        return []
    names = getattr(outline, what, ())
    return [name for name in names if name.startswith(incomplete)]


def _config(ctx: Any) -> Path | None:
    given = ctx.params.get("config")
    return Path(given) if given else None


def _found(ctx: Any) -> Path:
    from castoff.config.find import find

    return _config(ctx) or find(Path.cwd())
