"""A release whose dependencies are those of one that is here: nine tenths of its table go unread.

Told is how its file table differs from that of a release on this host. Where no row about what
lies in a layer differs, there is nothing to learn from them that was not learned when the layer
was made: its seal keeps their records, the digest of the tree says whether these are what is
wanted, and the seal whether the layer is what they say.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import os
import zlib

from .layer_link import BELOW, is_shared, linked_layer
from .layers import intact, may_lie_in_a_layer
from .links import plan_links
from .named_tuple import NamedTuple
from .raw_table import RawFiles, RawTable, changed, divided_at, read_raw
from .reuse import InLayer, Wanted
from .table import parse_table
from .tree import tree_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout
    from .manifest import Manifest
    from .parameters import Parameters

_BELOW = BELOW.encode()
# Bytes of a difference, which takes six times that in memory.
_MOST = 2 * 1024 * 1024


class Found(NamedTuple):
    """A release that is wanted, and the document of its table."""

    wanted: Wanted
    document: bytes


def find_same_layer(layout: Layout, parameters: Parameters, manifest: Manifest) -> Found | None:
    """Return what is wanted; None where that has to be read in full.

    That is, among others, where a release that is there is released again: then its layer may be
    why, and is read, too.

    Raises:
        AgentError: `invalid`: the table holds something that must not be.
    """
    there = os.path.lexists(layout.release(manifest.version))
    told = parameters.get("layers") == "sealed" and parameters.get("table_delta") is not None
    if not told or (there and parameters.flag("reread")):
        return None
    try:
        return _found(layout, parameters, manifest, there=there)
    except (OSError, ValueError):
        return None


def _found(layout: Layout, parameters: Parameters, manifest: Manifest, *, there: bool) -> Found:
    """Return what is wanted.

    Raises:
        AgentError: `invalid`: the table holds something that must not be.
        OSError, ValueError: It cannot be told in this way.
    """
    version, base = manifest.version, parameters.version("table_base")
    shared, writable = parameters.texts("shared"), parameters.texts_or_none("writable")
    configured = parameters.texts_or_none("configured")
    if any(is_shared(path.rstrip("/")) for path in (*shared, *writable, *configured)):
        raise ValueError("a shared path in it")
    layer = linked_layer(layout.release(version if there else base))
    if layer is None:
        raise ValueError("no layer")
    rows = changed(read_raw(layout, base), _told(parameters), _BELOW)
    document = rows.document()
    if hashlib.sha256(document).hexdigest() != manifest.table_sha256:
        raise ValueError("another table")
    own, folders = _divided(rows)
    if not may_lie_in_a_layer(folders, rows.links, manifest.data):
        raise ValueError("not from there")
    records = intact(layout, layer)
    table = parse_table(own.document(), archive_size=manifest.archive_size)
    # The one proof that these are the records of what the whole table says.
    if tree_digest(table, shared=[records]) != manifest.tree_sha256:
        raise ValueError("another layer")
    links = plan_links(table, shared, writable, version, configured)
    rest = InLayer(layer, records, RawFiles(rows.files))
    return Found(Wanted(version, manifest, table, links, rest), document)


def _divided(rows: RawTable) -> tuple[RawTable, list[str]]:
    """Return the rows about what a release has of its own, and the paths of all other folders."""
    below, directories = divided_at(rows.directories, _BELOW)
    _, files = divided_at(rows.files, b'"' + _BELOW)
    folders = b"\0".join(below).decode().split("\0") if below else []
    return rows._replace(directories=directories, files=files), folders


def _told(parameters: Parameters) -> dict[str, Any]:
    """Return the difference of a request.

    Raises:
        ValueError: It cannot be read, or is longer than differences are.
    """
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(binascii.a2b_base64(parameters.text("table_delta")), _MOST)
    except zlib.error as error:
        raise ValueError("damaged") from error
    if not unpacking.eof:
        raise ValueError("too long")
    delta: dict[str, Any] = json.loads(text)
    return delta
