"""Bring a release to the host, whole and checked, beside what it serves.

Killed at any point, the next prepare begins again: until the rename at the end nothing stands
in `releases/`, and `current` is never touched. What is served already, and was damaged, is made
anew beside itself, and changes places with the damaged one at one stroke.
"""

from __future__ import annotations

import os

from .current import read_current
from .durable import replace_link, sync_file_system, sync_folder
from .errors import AgentError
from .fetch import fetch
from .links import make_links, plan_links, provide
from .manifest import Manifest
from .progress import Progress
from .records import write_records
from .reuse import Wanted, outlook, reusable
from .rights import parse_rights
from .space import require_for_release
from .swap import put_in_place
from .table import inflate_table, parse_table
from .trash import delete, discard_writable, empty_staging, empty_trash
from .tree import compare, no_file, tree_digest
from .unpack import unpack
from .writer import TreeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout
    from .messages import Channel
    from .parameters import Parameters


def prepare(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Make `releases/<version>` what the manifest says, or find that it is.

    Raises:
        AgentError: `fetch`, `corrupt`, `missing`, `no-space`, `permission`, `invalid`.
        Gone: The controller left before the release was put in place.
    """
    wanted, document = _wanted(parameters)
    version, manifest, table = wanted.version, wanted.manifest, wanted.table
    sources = parameters.each("sources")
    interpreter = parameters.text_or_none("interpreter")
    rights = parse_rights(parameters.each_or_none("rights"))

    empty_staging(layout)
    empty_trash(layout)
    notes = reusable(
        layout,
        wanted,
        rehash=parameters.flag("verify"),
        exact=parameters.flag("exact"),
        replaceable=bool(sources),
    )
    reused = notes is not None
    if notes is None:
        require_for_release(layout.root, table, manifest.archive_size)
        _build(layout, channel, wanted, sources)
        if read_current(layout) != version:
            discard_writable(layout, version)
        write_records(layout, version, manifest=manifest.data, table=document, links=wanted.shared)
        notes = []
    notes += provide(layout, wanted.shared, version, rights)
    if interpreter is not None:
        replace_link(interpreter, os.path.join(layout.python, version), layout.staging)
        sync_folder(layout.python)
    if not reused:
        channel.check()
        sync_file_system(layout.root)
        put_in_place(layout, _tree(layout), version)
    return {
        "tree_sha256": manifest.tree_sha256,
        "fetched": 0 if reused else manifest.archive_size,
        "reused": reused,
        "notes": notes,
    }


def foresee(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Return what `prepare` would fetch, in bytes, and why a release that is here would not do.

    Raises:
        AgentError: `corrupt`: it would be refused. `invalid`.
    """
    wanted, _ = _wanted(parameters)
    damage, usable = outlook(layout, wanted)
    return {"fetch": 0 if usable else wanted.manifest.archive_size, "damage": damage}


def _wanted(parameters: Parameters) -> tuple[Wanted, bytes]:
    """Return what a request wants to stand here, and the document of its file table."""
    version = parameters.version("version")
    manifest = Manifest(parameters.text("manifest"), version)
    document = inflate_table(parameters.text("table_z"), manifest)
    table = parse_table(document, archive_size=manifest.archive_size)
    writable = parameters.texts_or_none("writable")
    shared = plan_links(table, parameters.texts("shared"), writable, version)
    return Wanted(version, manifest, table, shared), document


def _build(layout: Layout, channel: Channel, wanted: Wanted, sources: list[Parameters]) -> None:
    """Fetch and unpack into staging; on return the tree there is the one that is wanted."""
    manifest, table, tree = wanted.manifest, wanted.table, _tree(layout)
    spool = os.path.join(layout.staging, "archive")
    with open(spool, "x+b", buffering=0) as file:
        archive = fetch(
            channel, sources, manifest, file, Progress(channel, "fetch", manifest.archive_size)
        )
        size = sum(entry.size for entry in table.files)
        os.mkdir(tree, 0o755)
        with TreeWriter(tree) as writer:
            unpack(archive, table, writer, Progress(channel, "unpack", size))
            make_links(wanted.shared, table, writer)
    delete(spool)
    attested = tree_digest(compare(tree, table, wanted.shared, reads=no_file).records)
    if attested != manifest.tree_sha256:
        raise AgentError(
            "corrupt",
            f"the tree of {wanted.version} is {attested[:12]}, "
            f"the manifest says {manifest.tree_sha256[:12]}",
            "The artifact contradicts itself: build it again under a new version.",
        )


def _tree(layout: Layout) -> str:
    return os.path.join(layout.staging, "tree")
