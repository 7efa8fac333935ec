"""Whether the release that is asked for lies on the host already, whole."""

from __future__ import annotations

import os

from .current import read_current
from .errors import AgentError
from .layout import Layout
from .links import SharedLinks
from .manifest import Manifest
from .named_tuple import NamedTuple
from .records import is_complete, read_links, read_manifest, recorded_at
from .table import Table
from .tree import Comparison, changed_since, compare, every_file, no_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .raw_table import RawFiles
    from .tree import Reads

_MOST_NAMED = 5


class InLayer(NamedTuple):
    """What of a release is known to lie in a layer, and is not in its table here.

    Attributes:
        layer: The layer's name.
        records: Those of the tree's digest about what lies in it.
        files: All rows of the whole table about files.
    """

    layer: str
    records: bytes
    files: RawFiles


class Wanted(NamedTuple):
    """What a prepare should bring about.

    Attributes:
        version: Of the release.
        manifest: What was published of it.
        table: What is in its tree.
        shared: Links to what lies outside of it.
        rest: What is in its tree beside that, if the table is not of all.
    """

    version: str
    manifest: Manifest
    table: Table
    shared: SharedLinks
    rest: InLayer | None = None


def reusable(
    layout: Layout, wanted: Wanted, *, rehash: bool, exact: bool, replaceable: bool
) -> list[str] | None:
    """Return notes if the release can be used as it stands, else None: it is to be made.

    A release that differs from what is wanted stays until the new one changes places with it: what
    is damaged may still be all that there is to go back to.

    Args:
        layout: The app's paths.
        wanted: What should stand there.
        rehash: Whether every file is read; else sizes and modes must do.
        exact: Whether files that are not part of it are a reason to make it anew.
        replaceable: Whether there is a source to make it anew from.

    Raises:
        AgentError: `corrupt`: it differs and cannot be made anew, or other bytes of the same
            version are being served. `missing`: it is not there and cannot be made.
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
    found = _judge(layout, wanted, every_file if rehash else no_file, exact=exact)
    served = read_current(layout) == version
    if found.trouble is None and (found.linked or served or not replaceable):
        return found.notes
    _refuse_other_bytes(found, version, served=served)
    if found.trouble is not None and not replaceable:
        raise AgentError(
            "corrupt",
            f"the release {version} on this host cannot be used: {found.trouble}",
            "Release it anew, so that the host can fetch it.",
        )
    return None


def outlook(layout: Layout, wanted: Wanted) -> tuple[str | None, bool]:
    """Return what is wrong with the release that is here, if one is, and whether it can be used.

    Files are read only where they were touched since the release was made.

    Raises:
        AgentError: `corrupt`: other bytes of the same version are being served.
    """
    version = wanted.version
    if not os.path.lexists(layout.release(version)):
        return None, False
    complete = is_complete(layout, version)
    reads = changed_since(recorded_at(layout, version)) if complete else no_file
    found = _judge(layout, wanted, reads, exact=True)
    served = read_current(layout) == version
    _refuse_other_bytes(found, version, served=served)
    return found.trouble, found.trouble is None and (found.linked or served)


class _Found(NamedTuple):
    """What stands there.

    Attributes:
        trouble: Why it cannot be used, or None.
        linked: Whether it has the wanted shared links.
        notes: What to say of it.
        other: Whether it is another release by the same name.
    """

    trouble: str | None
    linked: bool = False
    notes: list[str] = []  # noqa: RUF012 (no instance changes it)
    other: bool = False


def _judge(layout: Layout, wanted: Wanted, reads: Reads, *, exact: bool) -> _Found:
    version = wanted.version
    if not is_complete(layout, version):
        return _Found("it was not put there whole by Castoff")
    if read_manifest(layout, version) != wanted.manifest.data:
        return _Found("it was made from another manifest", other=True)
    shared = read_links(layout, version)
    top = layout.release(version)
    found = compare(
        top,
        wanted.table,
        shared,
        layers=layout.layers,
        reads=reads,
        proven=None if wanted.rest is None else wanted.rest.layer,
    )
    if found.changed or found.missing:
        return _Found(f"it was changed since: {_named(found)}")
    strange = f"files that are not part of it: {_few([*found.extra], len(found.extra))}"
    if found.extra and exact:
        return _Found(f"it holds {strange}")
    notes = []
    if found.extra and reads is not no_file:
        notes.append(f"{version} holds {strange}")
    linked = shared == wanted.shared
    if not linked:
        notes.append(f"{version} keeps the shared paths that it was prepared with")
    return _Found(None, linked, notes)


def _refuse_other_bytes(found: _Found, version: str, *, served: bool) -> None:
    """Do not let other code be served before the release gets to its flip."""
    if found.other and served:
        raise AgentError(
            "corrupt",
            f"{version} is being served, and {found.trouble}; it is not replaced while it is "
            "served",
            "Release another version first, then this one again.",
        )


def _named(found: Comparison) -> str:
    paths = [*(f"{path} (missing)" for path in found.missing), *found.changed]
    return _few(paths, len(found.missing) + len(found.changed))


def _few(paths: list[str], count: int) -> str:
    more = count - _MOST_NAMED
    return ", ".join(paths[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
