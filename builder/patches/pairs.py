"""Which files a patch has to bring, and which old file each is probably made from; no I/O."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from posixpath import basename

from castoff.store.filetable import File, FileTable

# Digests and versions in names: `app.3f9a1c20.js`, `django-5.2.1.dist-info`.
_VARIABLE = re.compile(r"[0-9a-f]{8,}|\d+(?:\.\d+)*")


@dataclass(frozen=True, slots=True)
class Pair:
    """A file that a host lacks.

    Attributes:
        new: Its row in the new table.
        old: The row in the old table of the file that it is most like; None where nothing is.
    """

    new: int
    old: int | None


def pairs(old: FileTable, new: FileTable) -> list[Pair]:
    """Return the files of one release whose content another does not hold, in order of path.

    The predecessor of a file is the one at its path. If none was there, it is one that went and
    whose path differs in digests and numbers alone, or else one that went and has the same name.
    """
    there = {(file.sha256, file.executable) for file in old.files}
    at = {file.path: row for row, file in enumerate(old.files)}
    stays = {file.path for file in new.files}
    gone = [(row, file.path) for row, file in enumerate(old.files) if file.path not in stays]
    by_shape, by_name = defaultdict(list), defaultdict(list)
    for row, path in reversed(gone):
        by_shape[_shape(path)].append(row)
        by_name[basename(path)].append(row)

    def predecessor(file: File) -> int | None:
        if file.path in at:
            return at[file.path]
        for rows in (by_shape[_shape(file.path)], by_name[basename(file.path)]):
            if rows:
                return rows.pop()
        return None

    return [
        Pair(row, predecessor(file))
        for row, file in enumerate(new.files)
        if file.size and (file.sha256, file.executable) not in there
    ]


def _shape(path: str) -> str:
    return _VARIABLE.sub("#", path)
