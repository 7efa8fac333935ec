"""Whether a layer is what was just written there; its seal comes of the same look."""

from __future__ import annotations

import os
import stat
from array import array
from collections import Counter, deque
from itertools import chain

from .entries import in_bytes, in_order
from .errors import AgentError
from .helpers import Helpers, spare_processors
from .index import Index
from .layer_link import BELOW, FOLDER
from .paths import parent
from .seal import seal_of
from .table import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .entries import Entry
    from .table import Table

# No file of a layer has these rights.
_OTHERS_WRITE = 0o022
_EXECUTABLE = 0o100
# Folders for which it is worth while that another process counts what is in them.
_MANY = 500


def seal_as_written(top: str, part: Table) -> str:
    """Return the seal of a layer that holds what a part of a table says, and nothing else.

    Nothing is read: the content was hashed when it was written.

    Args:
        top: The layer.
        part: What was written there.

    Raises:
        AgentError: `corrupt`: it holds something else.
        OSError: It cannot be seen.
    """
    every = len(part.directories)
    folders = _Folders(top, part)
    count = min(spare_processors(len(part.files)), 1) if every > _MANY else 0
    with Helpers(count, folders.count) as helpers:
        helped = helpers.take(0, every, 0)
        found = _look(top, part)
        helpers.finish(lambda _: None)
    if not helped:
        folders.count(0, every)
    return found


def _look(top: str, part: Table) -> str:
    """Look at all that should be there, for the seal."""
    expected: deque[Entry] = deque()

    def names() -> Iterator[bytes]:
        for path, entry in in_order(part):
            if path != FOLDER:
                expected.append(entry)
                yield path.encode()[len(BELOW) :]

    def see(name: bytes, status: os.stat_result) -> None:
        if not _is_as_written(os.path.join(place, name), part, expected.popleft(), status):
            raise _changed(name)

    place = os.fsencode(top)
    try:
        return seal_of(top, names(), see)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _changed(os.fsencode(error.filename)) from error


def _is_as_written(place: bytes, part: Table, entry: Entry, status: os.stat_result) -> bool:
    mode = status.st_mode
    if entry is None:
        return stat.S_ISDIR(mode)
    if isinstance(entry, Link):
        return stat.S_ISLNK(mode) and os.readlink(place) == in_bytes(entry.target)
    size, executable = part.files.form(entry)
    return (
        stat.S_ISREG(mode)
        and status.st_size == size
        and bool(mode & _EXECUTABLE) == executable
        and not mode & _OTHERS_WRITE
    )


class _Folders:
    """Says whether there is more in folders than should be, all that should be being there."""

    def __init__(self, top: str, part: Table) -> None:
        self._top = os.fsencode(top)
        self._all = part.directories
        above = map(parent, chain(self._all, part.files.paths, part.links.paths))
        self._entries: Sequence[int]
        if not self._all.many:
            counts = Counter(above)
            self._entries = [counts[path] for path in self._all]
            return
        index, entries = Index(self._all), array("q", [0]) * len(self._all)
        for path in above:
            row = index.find(path)
            if row >= 0:
                entries[row] += 1
        self._entries = entries

    def count(self, begin: int, end: int) -> int:
        """Count what is in some of them; nothing is written, of which there would be bytes.

        Raises:
            AgentError: `corrupt`: it is more, or less.
        """
        for row in range(begin, end):
            name = self._all[row][len(BELOW) :].encode()
            try:
                with os.scandir(os.path.join(self._top, name)) as entries:
                    many = sum(1 for _ in entries)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise _changed(name) from error
            if many != self._entries[row]:
                raise _changed(name)
        return 0


def _changed(name: bytes) -> AgentError:
    path = (BELOW + name.decode("utf-8", "backslashreplace")).rstrip("/")
    return AgentError(
        "corrupt",
        f"{path!r} is not what was written there a moment before",
        "See what else writes to the app's folder, and whether the disk is sound; then try again.",
    )
