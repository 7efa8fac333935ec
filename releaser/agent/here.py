"""Files of a release that are on the host already, in releases that stand here."""

from __future__ import annotations

import os
import stat
from itertools import islice

from .columns import content_of, digest_of
from .current import read_current
from .errors import AgentError
from .json_rows import rows
from .paths import check_path
from .raw_table import raw_files, read_document
from .records import complete_releases, recorded_at, table_blocks
from .sorting import Sorting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .layout import Layout
    from .table import Table

# More would mostly be found again what the first ones hold, and reading a table takes its time.
_MOST_RELEASES = 2
# Contents that are looked for in memory: each takes 250 bytes of it.
_AT_ONCE = 16_384
# So few digests are looked for one by one sooner than a table is divided.
_FEW = 8
_NONE = -1
# What comes after every content.
_LAST = (b"\xff" * 40, _NONE)


class Here:
    """Where the content of a release's files should lie in releases on this host.

    Attributes:
        have: For each row about a file, whether its content should be here.
        size: Bytes of all that should.
    """

    def __init__(self, table: Table) -> None:
        self.have = bytearray(len(table.files))
        self.size = 0
        self._files = table.files
        self._tops: list[str] = []
        self._top_of = bytearray(len(self.have))
        # Mostly it is the same path. Those of the others.
        self._paths: Sorting[tuple[int, str]] = Sorting()

    def begin(self, top: str) -> None:
        """Let what is found from now on lie below a folder."""
        self._tops.append(top)

    def add(self, row: int, path: str | None) -> None:
        """Note where the content of a row lies; None for the same path as its own."""
        self.have[row] = True
        self.size += self._files.sizes[row]
        self._top_of[row] = len(self._tops) - 1
        if path is not None:
            self._paths.add((row, path))

    def lacking(self) -> Iterator[int]:
        """Yield the rows whose content is not known to be here."""
        return (row for row, is_here in enumerate(self.have) if not is_here)

    def places(self) -> Iterator[tuple[int, str]]:
        """Yield the rows whose content should be here, and where that lies."""
        others = iter(self._paths)
        other = next(others, (_NONE, ""))
        for row, (is_here, own) in enumerate(zip(self.have, self._files.paths)):
            if not is_here:
                continue
            path = own
            if other[0] == row:
                path = other[1]
                other = next(others, (_NONE, ""))
            yield row, os.path.join(self._tops[self._top_of[row]], path)


def files_here(layout: Layout, table: Table, *, without: str | None = None) -> Here:
    """Return where the content of a release's files should lie in releases on this host.

    Nothing is read here but sizes and modes: whoever copies a file holds it against its digest.

    Args:
        layout: The app's paths.
        table: The release that is wanted.
        without: A version that is known not to be what it should.
    """
    here = Here(table)
    for version in _newest_first(layout):
        if version == without:
            continue
        here.begin(layout.release(version))
        try:
            if table.files.paths.sorted:
                _find_same_paths(layout, version, table, here)
            _find_same_content(layout, version, table, here)
        except (AgentError, LookupError, TypeError, ValueError):
            continue  # its record is damaged: what it says from here on counts for nothing
    return here


def _find_same_paths(layout: Layout, version: str, table: Table, here: Here) -> None:
    """Find what has not changed, both tables being in the order of their paths."""
    files, top = table.files, layout.release(version)
    left = enumerate(files.paths)
    row, own = next(left, (_NONE, ""))
    for path, content in _decoded(layout, version):
        while row != _NONE and own < path:
            row, own = next(left, (_NONE, ""))
        if row == _NONE:
            return
        if own != path or here.have[row] or files.content(row) != content:
            continue
        if _may_be(os.path.join(top, check_path(path)), table, row):
            here.add(row, None)


def _find_same_content(layout: Layout, version: str, table: Table, here: Here) -> None:
    """Find files by their content, wherever they were."""
    rows = list(islice(here.lacking(), _AT_ONCE + 1))
    if len(rows) > _AT_ONCE:
        _find_much(layout, version, table, here)
        return
    wanted, following = _by_content(table, rows)
    for path, content in _rows(layout, version, wanted) if rows else ():
        row = wanted.get(content, _NONE)
        if row == _NONE or not _lies_there(layout, version, path, table, row):
            continue
        del wanted[content]
        while row != _NONE:
            here.add(row, None if table.files.paths[row] == path else path)
            row = following.get(row, _NONE)


def _find_much(layout: Layout, version: str, table: Table, here: Here) -> None:
    """Find many, both the wanted and those that are there being put in the order of content."""
    files = table.files
    wanted = iter(Sorting((files.content(row), row) for row in here.lacking()))
    there = Sorting(
        (content, number, path) for number, (path, content) in enumerate(_decoded(layout, version))
    )
    content, row = next(wanted, _LAST)
    for other, _, path in there:
        while content < other:
            content, row = next(wanted, _LAST)
        while content == other and row != _NONE:
            if not _lies_there(layout, version, path, table, row):
                # Another file of the same content may do.
                break
            here.add(row, None if files.paths[row] == path else path)
            content, row = next(wanted, _LAST)


def _lies_there(layout: Layout, version: str, path: str, table: Table, row: int) -> bool:
    return _may_be(os.path.join(layout.release(version), check_path(path)), table, row)


def _by_content(table: Table, rows: list[int]) -> tuple[dict[bytes, int], dict[int, int]]:
    """Return the first row of each content, and after which row another of the same comes."""
    first: dict[bytes, int] = {}
    following: dict[int, int] = {}
    for row in reversed(rows):
        content = table.files.content(row)
        if content in first:
            following[row] = first[content]
        first[content] = row
    return first, following


def _rows(layout: Layout, version: str, wanted: Collection[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield files of a release on the host: the path of each, and what its content goes by.

    All whose content is wanted are among them. Nothing is checked, since of two releases in a row
    most is the same, and reading a table in full takes five times as long as decoding it.

    Raises:
        AgentError, LookupError, TypeError, ValueError: The record is damaged.
    """
    digests = {digest_of(content).hex().encode() for content in wanted}
    try:
        document = read_document(layout, version)
        if len(digests) <= _FEW and not any(digest in document for digest in digests):
            return
        files = raw_files(document)
    except ValueError:
        yield from _decoded(layout, version)
        return
    for at, digest in enumerate(files.digests()):
        if digest in digests:
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
