"""The document of a file table from a request: all of it, or what differs from one that is here."""

from __future__ import annotations

import binascii
import hashlib
import json
import zlib

from .errors import AgentError
from .records import table_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .manifest import Manifest
    from .parameters import Parameters

# The name under which a table that was fetched is found, gzipped.
TABLE = "table_gz"
MOST_BYTES = 256 * 1024 * 1024
_GZIP, _ZLIB = 31, 15


def table_document(layout: Layout, parameters: Parameters, manifest: Manifest) -> bytes:
    """Return the table's document.

    Raises:
        AgentError: `corrupt`: it is not the one that the manifest names. `delta`: the difference
            does not make it of the table that is here.
    """
    delta = parameters.text_or_none("table_delta")
    if delta is None:
        fetched = parameters.get(TABLE)
        packed = fetched if isinstance(fetched, bytes) else _decoded(parameters.text("table_z"))
        data = _unpacked(packed, _GZIP)
        if hashlib.sha256(data).hexdigest() != manifest.table_sha256:
            raise AgentError("corrupt", "the file table is not the one that the manifest names")
        return data
    from .table_delta import applied

    base = parameters.version("table_base")
    try:
        made = applied(table_bytes(layout, base), json.loads(_unpacked(_decoded(delta), _ZLIB)))
    except (OSError, ValueError):
        made = None
    if made is None or hashlib.sha256(made).hexdigest() != manifest.table_sha256:
        raise AgentError("delta", f"the difference does not fit the file table of {base}")
    return made


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except ValueError as error:
        raise AgentError("corrupt", "the file table cannot be unpacked") from error


def _unpacked(packed: bytes, window: int) -> bytes:
    try:
        return zlib.decompressobj(window).decompress(packed, MOST_BYTES)
    except zlib.error as error:
        raise AgentError("corrupt", "the file table cannot be unpacked") from error
