"""Files of a release that are on the host already, in releases that stand here."""

from __future__ import annotations

import json
import os
import stat

from .current import read_current
from .errors import AgentError
from .paths import check_path
from .records import complete_releases, recorded_at, table_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

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
            for path, key in _rows(layout, version):
                same = wanted.get(key)
                if same is None:
                    continue
                place = os.path.join(layout.release(version), check_path(path))
                if _may_be(place, same[0]):
                    found.update((file.path, place) for file in same)
                    del wanted[key]
        except (AgentError, KeyError, TypeError, ValueError):
            continue  # its record is damaged: what it says from here on counts for nothing
    return found


def _rows(layout: Layout, version: str) -> Iterator[tuple[str, tuple[str, bool]]]:
    """Yield each file of a release on the host: its path, and what its content goes by.

    Nothing is checked, since of two releases in a row most is the same, and reading a table in
    full takes five times as long as decoding it.

    Raises:
        KeyError, TypeError, ValueError: The record is damaged.
    """
    for path, executable, _, sha256, *_ in json.loads(table_bytes(layout, version))["files"]:
        yield path, (sha256, executable == 1)


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
