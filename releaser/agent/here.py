"""Files of a release that are on the host already, in releases that stand here."""

from __future__ import annotations

import os
import stat

from .current import read_current
from .errors import AgentError
from .records import complete_releases, read_table, recorded_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .table import File, Table

# More would mostly be found again what the first ones hold, and reading a table takes its time.
_MOST_RELEASES = 2


def files_here(layout: Layout, table: Table, *, without: str | None = None) -> dict[str, str]:
    """Return where the content of a release's files should lie in releases on this host.

    Nothing is read here but sizes and modes: whoever copies a file holds it against its digest.

    Args:
        layout: The app's paths.
        table: The release that is wanted.
        without: A version that is known not to be what it should.

    Returns:
        For each path of `table` that may not have to be fetched, a file to copy it from.
    """
    wanted: dict[tuple[str, bool], list[File]] = {}
    for file in table.files:
        wanted.setdefault((file.sha256, file.executable), []).append(file)
    found: dict[str, str] = {}
    for version in _newest_first(layout):
        if not wanted:
            break
        if version == without:
            continue
        try:
            there = read_table(layout, version)
        except AgentError:
            continue  # its record is damaged; what it says of its files counts for nothing
        for file in there.files:
            same = wanted.get((file.sha256, file.executable))
            if same is None:
                continue
            path = os.path.join(layout.release(version), file.path)
            if _may_be(path, file):
                found.update((other.path, path) for other in same)
                del wanted[(file.sha256, file.executable)]
    return found


def _newest_first(layout: Layout) -> list[str]:
    """Return the releases that are most likely to hold much of a new one; the served one first."""
    current = read_current(layout)
    here = complete_releases(layout)
    here.sort(key=lambda version: (version == current, recorded_at(layout, version)), reverse=True)
    return here[:_MOST_RELEASES]


def _may_be(path: str, file: File) -> bool:
    try:
        status = os.lstat(os.fsencode(path))
    except OSError:
        return False
    mode = 0o555 if file.executable else 0o444
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_size == file.size
        and stat.S_IMODE(status.st_mode) == mode
    )
