"""Read a whole release again and compare it with its file table."""

from __future__ import annotations

from .layout import Layout
from .records import is_complete, not_here, read_links, read_table
from .tree import compare, tree_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


def verify(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Return the digest of the tree as it lies there, and every path that differs.

    Raises:
        AgentError: `missing`: no complete release of that version is here.
    """
    version = parameters.version("version")
    if not is_complete(layout, version):
        raise not_here(version)
    found = compare(
        layout.release(version),
        read_table(layout, version),
        read_links(layout, version),
        rehash=True,
    )
    return {
        "tree_sha256": tree_digest(found.records),
        "changed": found.changed,
        "missing": found.missing,
        "extra": found.extra,
    }
