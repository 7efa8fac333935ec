"""A file table's document divided into rows that stay bytes: most rows are only handed on.

The document is canonical JSON. Without an escape in it each quote begins or ends a text, so that it
can be divided at what stands between two rows, and the number of quotes tells whether it was.
"""

from __future__ import annotations

import json
from itertools import compress, count, repeat
from operator import not_

from .named_tuple import NamedTuple
from .records import table_bytes
from .table import file_of
from .table_delta import RUN_OF_FILES, copied, dumped, run, with_offsets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .columns import File
    from .layout import Layout

# Bytes: longer documents are read row by row, which takes less memory.
_MOST = 3 * 1024 * 1024
_MARKS = (b'{"directories":[', b'],"files":[', b'],"links":[', b'],"members":[', b'],"schema":1}')
_QUOTES = 4
# The part of a row about a file, divided at its quotes, that is the digest.
_DIGEST = 3


class RawFiles:
    """Rows about files, each without its brackets, read only when asked for."""

    def __init__(self, rows: list[bytes]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> File:
        """Return a file, whose position is its member's index.

        Raises:
            AgentError: `invalid`: its path must not be.
            TypeError, ValueError: The row is none.
        """
        return file_of(*json.loads(b"[%b]" % self.rows[index])[:-1])

    def digests(self) -> list[bytes]:
        """Return the digest in each row, in hexadecimal; in rows that are none, whatever it is."""
        # The second text of each, in one call: one for each row would take ten times as long.
        return b",".join(self.rows).split(b'"')[_DIGEST::_QUOTES]


class RawTable(NamedTuple):
    """The rows of a table.

    Attributes:
        directories: As JSON, without quotes.
        files: The same, without brackets.
        links: Path and target.
        members: As they stand there.
    """

    directories: list[bytes]
    files: list[bytes]
    links: list[list[str]]
    members: list[list[Any]]

    def document(self) -> bytes:
        """Return the table's document."""
        directories, files = b'","'.join(self.directories), b"],[".join(self.files)
        parts = [
            b'"%b"' % directories if self.directories else b"",
            b"[%b]" % files if self.files else b"",
            dumped(self.links)[1:-1],
            dumped(self.members)[1:-1],
        ]
        return b"".join([*(b for pair in zip(_MARKS, parts) for b in pair), _MARKS[-1]])


def read_raw(layout: Layout, version: str) -> RawTable:
    """Return the table of a release on the host, divided; nothing of it is checked.

    Raises:
        OSError: There is none.
        ValueError: It is too long for that, or cannot be divided.
    """
    return divided(read_document(layout, version))


def read_raw_files(layout: Layout, version: str) -> RawFiles:
    """Return its rows about files alone; otherwise as `read_raw`."""
    return raw_files(read_document(layout, version))


def raw_files(document: bytes) -> RawFiles:
    """Return the rows about files of a table's document; nothing of it is checked.

    Raises:
        ValueError: It cannot be divided.
    """
    return RawFiles(_rows_about_files(_texts(document)[1]))


def divided(document: bytes) -> RawTable:
    """Divide a table's document.

    Raises:
        ValueError: It cannot be told where its rows end, or it is no such document.
    """
    folders, files, links, members = _texts(document)
    directories = folders[1:-1].split(b'","') if folders else []
    if folders.count(b'"') != 2 * len(directories):
        raise ValueError("not plain")
    lists = json.loads(b"[[%b],[%b]]" % (links, members))
    return RawTable(directories, _rows_about_files(files), *lists)


def read_document(layout: Layout, version: str) -> bytes:
    """Return the document of the table of a release on the host.

    Raises:
        OSError: There is none.
        ValueError: It is too long to be held as a whole.
    """
    document = table_bytes(layout, version, _MOST + 1)
    if len(document) > _MOST:
        raise ValueError("too long")
    return document


def _texts(document: bytes) -> list[bytes]:
    """Return the four lists of a document, without their brackets."""
    if b"\\" in document or not document.startswith(_MARKS[0]) or not document.endswith(_MARKS[-1]):
        raise ValueError("not plain")
    start, end = len(_MARKS[0]), len(document) - len(_MARKS[-1])
    texts = []
    for mark in _MARKS[1:-1]:
        found = document.find(mark, start, end)
        found = end if found < 0 else found
        texts.append(document[start:found])
        start = min(found + len(mark), end)
    return [*texts, document[start:end]]


def _rows_about_files(text: bytes) -> list[bytes]:
    rows = text[1:-1].split(b"],[") if text else []
    if text.count(b'"') != _QUOTES * len(rows):
        raise ValueError("not plain")
    return rows


def divided_at(rows: list[bytes], prefix: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return those rows that begin with something, and the others."""
    return (
        list(compress(rows, _begin(rows, prefix))),
        list(compress(rows, map(not_, _begin(rows, prefix)))),
    )


def _begin(rows: list[bytes], prefix: bytes) -> Iterable[bool]:
    return map(bytes.startswith, rows, repeat(prefix))


def changed(old: RawTable, delta: dict[str, Any], prefix: bytes) -> RawTable:
    """Return the table that a difference makes of another one.

    Args:
        old: The table that is here.
        delta: What differs; `table_delta` describes it.
        prefix: What the paths begin with of those rows in which nothing may differ but where files
            lie in the archive.

    Raises:
        ValueError: The difference does not fit, or something does differ there.
    """
    try:
        return RawTable(
            _directories(old.directories, delta["directories"], prefix),
            _files(old.files, delta["files"], b'"' + prefix),
            list(copied(len(old.links), old.links.__getitem__, delta["links"])),
            list(with_offsets(copied(len(old.members), _gapped(old.members), delta["members"]))),
        )
    except (LookupError, OverflowError, TypeError) as error:
        raise ValueError("the difference does not fit") from error


class _Same:
    """Whether rows of the old table that must be the same come one after the other, all of them."""

    def __init__(self, rows: list[bytes], prefix: bytes) -> None:
        found = list(compress(count(), _begin(rows, prefix)))
        self._first, self._end = (found[0], found[-1] + 1) if found else (0, 0)
        if self._end - self._first != len(found):
            raise ValueError("there are others between them")
        self._next, self._prefix = self._first, prefix

    def take(self, rows: range) -> None:
        """Take note of a run of old rows."""
        first, end = max(rows.start, self._first), min(rows.stop, self._end)
        if first < end:
            if first != self._next:
                raise ValueError("they are others")
            self._next = end

    def new(self, row: bytes) -> bytes:
        """Return a new row."""
        if row.startswith(self._prefix):
            raise ValueError("there are more")
        return row

    def finish(self) -> None:
        """Make sure that all of them came."""
        if self._next != self._end:
            raise ValueError("there are less")


def _directories(old: list[bytes], operations: list[list[Any]], prefix: bytes) -> list[bytes]:
    same = _Same(old, prefix)
    found: list[bytes] = []
    for one in operations:
        if type(one[0]) is int:
            rows = run(len(old), *one)
            same.take(rows)
            found += old[rows.start : rows.stop]
        else:
            found.append(same.new(dumped(one[0])[1:-1]))
    same.finish()
    return found


def _files(old: list[bytes], operations: list[list[Any]], prefix: bytes) -> list[bytes]:
    same = _Same(old, prefix)
    found: list[bytes] = []
    for one in operations:
        if type(one[0]) is not int:
            found.append(same.new(dumped(one)[1:-1]))
        elif len(one) == RUN_OF_FILES:
            first, many, moved = one
            rows = run(len(old), first, many)
            same.take(rows)
            some = old[rows.start : rows.stop]
            found += [_moved(row, moved) for row in some] if moved else some
        else:
            at, _, member, start = one
            same.take(run(len(old), at, 1))
            found.append(b"%b,%d,%d" % (old[at].rsplit(b",", 2)[0], member, start))
    same.finish()
    return found


def _moved(row: bytes, members: int) -> bytes:
    head, member, start = row.rsplit(b",", 2)
    return b"%b,%d,%b" % (head, int(member) + members, start)


def _gapped(members: list[list[Any]]) -> Any:
    """Return what gives a member's row, with the gap before it instead of its offset."""

    def row(at: int) -> list[Any]:
        offset, *rest = members[at]
        end = sum(members[at - 1][:2]) if at else 0
        return [offset - end, *rest]

    return row
