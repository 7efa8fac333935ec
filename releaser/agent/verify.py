"""Compare a release with its file table, file by file or by what the file system says."""

from __future__ import annotations

import os

from .current import read_current
from .layout import Layout
from .records import is_complete, not_here, read_links, read_table, recorded_at
from .state import report
from .tree import MOST_NAMED, changed_since, compare, every_file, tree_digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parameters import Parameters


def verify(layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Return the digest of the tree as it lies there, and the paths that differ.

    Rendered configuration is no part of the tree, but among the paths.

    With `quick`, files are read only if they were touched since the release was made.

    Raises:
        AgentError: `missing`: no complete release of that version is here.
    """
    version = parameters.version("version")
    most = parameters.whole("most", MOST_NAMED)
    if not is_complete(layout, version):
        raise not_here(version)
    table = read_table(layout, version)
    found = compare(
        layout.release(version),
        table,
        read_links(layout, version),
        layers=layout.layers,
        reads=changed_since(recorded_at(layout, version))
        if parameters.flag("quick")
        else every_file,
        most=most,
    )
    changed, missing = _configuration(layout, version)
    return {
        "tree_sha256": tree_digest(table, found.unlike),
        "changed": [*found.changed, *changed][:most],
        "missing": [*found.missing, *missing][:most],
        "extra": [*found.extra],
        "differing": found.total + len(changed) + len(missing),
    }


def _configuration(layout: Layout, version: str) -> tuple[list[str], list[str]]:
    """Return the rendered files of a version that were changed, and those that are missing.

    Of the one that is served, also the files outside the release that somebody has edited.
    """
    if not os.path.isdir(layout.config):
        return [], []
    from .rendered import differing

    served = read_current(layout) == version
    changed, missing = differing(layout, version, served=served)
    if served:
        known = {*changed, *missing}
        changed += [path for path in report(layout)["edited"] if path not in known]
    return changed, missing
