"""Files of a release that are on the host already, in releases that stand here."""

from __future__ import annotations

import hashlib
import os
import stat

from .current import read_current
from .errors import AgentError
from .inflate import BLOCK
from .records import complete_releases, read_table, recorded_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout
    from .table import File, Table

# More would mostly be found again what the first ones hold, and reading a table takes its time.
_MOST_RELEASES = 2


def files_here(layout: Layout, table: Table, *, read: bool) -> dict[str, str]:
    """Return where the content of a release's files lies in other releases on this host.

    Args:
        layout: The app's paths.
        table: The release that is wanted.
        read: Whether each file found is read and hashed: a disk may have lost bits, and somebody
            may have written over it. Else its size must do, which is enough for an estimate.

    Returns:
        For each path of `table` that need not be fetched, a file of the same content and mode.
    """
    wanted: dict[tuple[str, bool], list[File]] = {}
    for file in table.files:
        wanted.setdefault((file.sha256, file.executable), []).append(file)
    found: dict[str, str] = {}
    for version in _newest_first(layout):
        if not wanted:
            break
        try:
            there = read_table(layout, version)
        except AgentError:
            continue  # its record is damaged; what it says of its files counts for nothing
        for file in there.files:
            same = wanted.get((file.sha256, file.executable))
            if same is None:
                continue
            path = os.path.join(layout.release(version), file.path)
            if _is(path, file, read=read):
                found.update((other.path, path) for other in same)
                del wanted[(file.sha256, file.executable)]
    return found


def _newest_first(layout: Layout) -> list[str]:
    """Return the releases that are most likely to hold much of a new one; the served one first."""
    current = read_current(layout)
    here = complete_releases(layout)
    here.sort(key=lambda version: (version == current, recorded_at(layout, version)), reverse=True)
    return here[:_MOST_RELEASES]


def _is(path: str, file: File, *, read: bool) -> bool:
    try:
        descriptor = os.open(os.fsencode(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if (
            not stat.S_ISREG(status.st_mode)
            or status.st_size != file.size
            or stat.S_IMODE(status.st_mode) != (0o555 if file.executable else 0o444)
        ):
            return False
        return not read or _sha256(descriptor) == file.sha256
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _sha256(descriptor: int) -> str:
    digest = hashlib.sha256()
    while True:
        block = os.read(descriptor, BLOCK)
        if not block:
            return digest.hexdigest()
        digest.update(block)
