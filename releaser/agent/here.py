"""Files of a release that are on the host already, in releases that stand here."""

from __future__ import annotations

import os
import stat
from array import array

from .columns import content_of, digest_of
from .current import read_current
from .errors import AgentError
from .json_rows import rows
from .paths import check_path
from .raw_table import content_in, read_raw_files
from .records import complete_releases, recorded_at, table_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .layout import Layout
    from .table import Table

# More would mostly be found again what the first ones hold, and reading a table takes its time.
_MOST_RELEASES = 2
_NONE = -1


def files_here(
    layout: Layout, table: Table, *, without: str | None = None
) -> dict[str, tuple[str, str]]:
    """Return where the content of a release's files should lie in releases on this host.

    Nothing is read here but sizes and modes: whoever copies a file holds it against its digest.

    Args:
        layout: The app's paths.
        table: The release that is wanted.
        without: A version that is known not to be what it should.

    Returns:
        For each path of `table` that may not have to be fetched, the folder of a release that has
        it, and the path there.
    """
    found: dict[str, tuple[str, str]] = {}
    versions = [version for version in _newest_first(layout) if version != without]
    if not versions:
        return found
    wanted, following = _by_content(table)
    for version in versions:
        top = layout.release(version)
        try:
            for path, content in _rows(layout, version, wanted):
                row = wanted.get(content, _NONE)
                if row == _NONE or not _may_be(os.path.join(top, check_path(path)), table, row):
                    continue
                del wanted[content]
                while row != _NONE:
                    # The same path, mostly, and then the same text.
                    own = table.files.paths[row]
                    found[own] = (top, own if own == path else path)
                    row = following[row]
        except (AgentError, LookupError, TypeError, ValueError):
            continue  # its record is damaged: what it says from here on counts for nothing
    return found


def _by_content(table: Table) -> tuple[dict[bytes, int], array[int]]:
    """Return the first row of each content, and for each row the next one of the same content."""
    files = table.files
    first: dict[bytes, int] = {}
    following = array("q", [_NONE]) * len(files)
    for row in range(len(files) - 1, -1, -1):
        content = files.content(row)
        following[row] = first.get(content, _NONE)
        first[content] = row
    return first, following


def _rows(layout: Layout, version: str, wanted: Collection[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield files of a release on the host: the path of each, and what its content goes by.

    All whose content is wanted are among them. Nothing is checked, since of two releases in a row
    most is the same, and reading a table in full takes five times as long as decoding it.

    Raises:
        AgentError, LookupError, TypeError, ValueError: The record is damaged.
    """
    try:
        files = read_raw_files(layout, version)
    except ValueError:
        yield from _decoded(layout, version)
        return
    digests = {digest_of(content).hex().encode() for content in wanted}
    for at, row in enumerate(files.rows):
        if content_in(row) in digests:
            file = files[at]
            yield file.path, content_of(file.sha256, file.executable)


def _decoded(layout: Layout, version: str) -> Iterator[tuple[str, bytes]]:
    """Yield all files, decoded one by one."""
    for name, row in rows(table_blocks(layout, version), ("directories", "files")):
        if name == "files" and row is not None:
            yield row[0], content_of(row[3], row[1] == 1)
        elif name == "links":
            return


def _newest_first(layout: Layout) -> list[str]:
    """Return the releases that are most likely to hold much of a new one; the served one first."""
    current = read_current(layout)
    here = complete_releases(layout)
    here.sort(key=lambda version: (version == current, recorded_at(layout, version)), reverse=True)
    return here[:_MOST_RELEASES]


def _may_be(path: str, table: Table, row: int) -> bool:
    try:
        status = os.lstat(os.fsencode(path))
    except OSError:
        return False
    size, executable = table.files.form(row)
    mode = 0o555 if executable else 0o444
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_size == size
        and stat.S_IMODE(status.st_mode) == mode
    )
