"""The document of a file table from a request: all of it, or what differs from one that is here."""

from __future__ import annotations

import binascii

from .errors import AgentError, from_os_error
from .packed import ZLIB, Packed
from .records import table_blocks
from .spill import Spill

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .manifest import Manifest
    from .parameters import Parameters

# The name under which a table that was fetched is found, gzipped.
TABLE = "table_gz"


def table_document(layout: Layout, parameters: Parameters, manifest: Manifest) -> Packed:
    """Return the table's document, and forget it where it is in the request.

    Raises:
        AgentError: `corrupt`: it is not the one that the manifest names. `delta`: the difference
            does not make it of the table that is here.
    """
    delta = parameters.text_or_none("table_delta")
    if delta is None:
        fetched = parameters.get(TABLE)
        told = Packed(
            fetched if isinstance(fetched, Spill) else _decoded(parameters.text("table_z"))
        )
        parameters.forget("table_z")
        if told.sha256() != manifest.table_sha256:
            raise AgentError("corrupt", "the file table is not the one that the manifest names")
        return told
    from .table_delta import Delta, applied

    base = parameters.version("table_base")
    try:
        differs = Delta(Packed(_decoded(delta), ZLIB))
        made = Packed.of(applied(table_blocks(layout, base), differs))
    except OSError as error:
        if from_os_error(error).code == "no-space":
            raise
        made = None
    except ValueError:
        made = None
    if made is None or made.sha256() != manifest.table_sha256:
        raise AgentError("delta", f"the difference does not fit the file table of {base}")
    return made


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text)
    except ValueError as error:
        raise AgentError("corrupt", "the file table cannot be unpacked") from error
