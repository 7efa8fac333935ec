"""Whether the release that is asked for lies on the host already, whole."""

from __future__ import annotations

import os
from typing import NamedTuple

from .current import read_current
from .errors import AgentError
from .layout import Layout
from .links import SharedLinks
from .manifest import Manifest
from .records import is_complete, read_links, read_manifest
from .table import Table
from .trash import discard
from .tree import Comparison, compare

_MOST_NAMED = 5


class Wanted(NamedTuple):
    """What a prepare should bring about."""

    version: str
    manifest: Manifest
    table: Table
    shared: SharedLinks


def reusable(
    layout: Layout, wanted: Wanted, *, rehash: bool, replaceable: bool
) -> list[str] | None:
    """Return notes if the release can be used as it stands, else None with its place free.

    A release that differs from what is wanted is moved aside, unless it is the one being served.

    Args:
        layout: The app's paths.
        wanted: What should stand there.
        rehash: Whether every file is read; else sizes and modes must do.
        replaceable: Whether there is a source to make it anew from.

    Raises:
        AgentError: `corrupt`: it differs, and it is being served or cannot be made anew.
            `missing`: it is not there and cannot be made.
    """
    version = wanted.version
    if not os.path.lexists(layout.release(version)):
        if not replaceable:
            raise AgentError(
                "missing",
                f"no release {version} on this host",
                "Release it anew, so that the host can fetch it.",
            )
        return None
    found = _judge(layout, wanted, rehash=rehash)
    served = read_current(layout) == version
    if found.trouble is None and (found.linked or served or not replaceable):
        return found.notes
    if found.trouble is not None and served:
        raise AgentError(
            "corrupt",
            f"{version} is being served, and {found.trouble}; it is not rebuilt while it is served",
            "Release another version first, then this one again.",
        )
    if found.trouble is not None and not replaceable:
        raise AgentError(
            "corrupt",
            f"the release {version} on this host cannot be used: {found.trouble}",
            "Release it anew, so that the host can fetch it.",
        )
    discard(layout, version)
    return None


class _Found(NamedTuple):
    """What stands there: what is wrong with it, if it has the wanted links, what to note."""

    trouble: str | None
    linked: bool
    notes: list[str]


def _judge(layout: Layout, wanted: Wanted, *, rehash: bool) -> _Found:
    version = wanted.version
    if not is_complete(layout, version):
        return _Found("it was not put there whole by Castoff", linked=False, notes=[])
    if read_manifest(layout, version) != wanted.manifest.data:
        return _Found("it was made from another manifest", linked=False, notes=[])
    shared = read_links(layout, version)
    found = compare(layout.release(version), wanted.table, shared, rehash=rehash)
    if found.changed or found.missing:
        return _Found(f"it was changed since: {_named(found)}", linked=False, notes=[])
    notes = []
    if found.extra and rehash:
        notes.append(f"{version} holds files that are not part of it: {_few(found.extra)}")
    linked = shared == wanted.shared
    if not linked:
        notes.append(f"{version} keeps the shared paths that it was prepared with")
    return _Found(None, linked=linked, notes=notes)


def _named(found: Comparison) -> str:
    return _few([f"{path} (missing)" for path in found.missing] + found.changed)


def _few(paths: list[str]) -> str:
    more = len(paths) - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
