"""Compare a release with its file table, file by file or by what the file system says."""

from __future__ import annotations

from .layout import Layout
from .records import is_complete, not_here, read_links, read_table, recorded_at
from .tree import changed_since, compare, every_file, tree_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters

# So many paths of each kind are named unless the request says otherwise.
_MOST_NAMED = 1000


def verify(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Return the digest of the tree as it lies there, and the paths that differ.

    With `quick`, files are read only if they were touched since the release was made.

    Raises:
        AgentError: `missing`: no complete release of that version is here.
    """
    version = parameters.version("version")
    most = parameters.whole("most", _MOST_NAMED)
    if not is_complete(layout, version):
        raise not_here(version)
    found = compare(
        layout.release(version),
        read_table(layout, version),
        read_links(layout, version),
        reads=changed_since(recorded_at(layout, version))
        if parameters.flag("quick")
        else every_file,
    )
    return {
        "tree_sha256": tree_digest(found.records),
        "changed": found.changed[:most],
        "missing": found.missing[:most],
        "extra": found.extra[:most],
        "differing": len(found.changed) + len(found.missing) + len(found.extra),
    }
