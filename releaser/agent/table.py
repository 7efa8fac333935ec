"""The file table, read as untrusted text: every path and number is checked before it is used.

store/filetable.py defines the document.
"""

from __future__ import annotations

from heapq import merge
from itertools import chain

from .columns import CODECS, File, Files, Link, Links, Member, Members
from .errors import AgentError
from .index import Index, in_order
from .json_rows import rows
from .manifest import digest_text
from .named_tuple import NamedTuple
from .numbers import MANY, Numbers, column
from .paths import check_links, check_path, parent
from .texts import Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Callable

    from .numbers import Column

__all__ = ["File", "Link", "Member", "Table", "parse_table"]

_MOST_TARGET = 4000
_MOST_RAW = 1 << 62
_LISTS = ("directories", "files", "links", "members")


class Table(NamedTuple):
    """Everything in a release's tree, and where in the archive its bytes are."""

    members: Members
    directories: Texts
    files: Files
    links: Links


def parse_table(data: bytes | Iterable[bytes], *, archive_size: int | None = None) -> Table:
    """Read a table.

    Args:
        data: The document, uncompressed; best in blocks, of which one at a time is held.
        archive_size: Bytes of the archive, where members must lie; None where only the tree
            matters.

    Raises:
        AgentError: `invalid`: it does not fit the schema, or holds something that must not be.
        OSError: It is long, and the disk is full.
    """
    table = Table(Members(), Texts(), Files(), Links())
    # Where a file begins is known once all members are, which come after it.
    within = _Within()
    values = rows([data] if isinstance(data, bytes) else data, _LISTS)
    try:
        try:
            _read(values, table, within)
        except (AgentError, TypeError, ValueError):
            for name, value in values:
                _check_schema(name, value)
            raise
        starts = _starts(table.members)
        _place(table.files, within.numbers, starts)
    except (TypeError, ValueError) as error:
        raise AgentError("invalid", "the file table does not fit its schema") from error
    _check_members(table.members, archive_size)
    _check_tree(table)
    _check_positions(table.files, starts[-1])
    return table


class _Within:
    """Where files begin in their members."""

    def __init__(self) -> None:
        self.numbers = column(0)

    def add(self, number: int) -> None:
        self.numbers.append(number)
        if len(self.numbers) == MANY:
            self.numbers = Numbers(self.numbers)


def _read(values: Iterator[tuple[str, Any]], table: Table, within: _Within) -> None:
    """Take in all rows."""
    missing = {*_LISTS, "schema"}
    for name, row in values:
        if row is None or name not in _LISTS:
            missing.discard(name)
            _check_schema(name, row)
        elif name == "files":
            table.files.add(*file_of(*row[:-1]))
            within.add(_whole(row[-1]) if row[2] else 0)
        elif name == "members":
            table.members.add(*_member(*row))
        elif name == "directories":
            table.directories.append(check_path(row))
        else:
            table.links.append(_link(*row))
    if missing:
        raise ValueError("a part is missing")


def _check_schema(name: str, value: Any) -> None:
    if name == "schema" and value != 1:
        raise AgentError("invalid", f"a file table of schema {value!r} is not understood")


def _member(offset: Any, length: Any, raw_length: Any, sha256: Any, codec: Any) -> Member:
    if codec not in CODECS:
        raise ValueError("an unknown codec")
    return Member(_whole(offset), _whole(length), _whole(raw_length), digest_text(sha256), codec)


def file_of(path: Any, executable: Any, size: Any, sha256: Any, member: Any) -> File:
    """Read a row but for its end; the file's position is its member's index for the time being."""
    if type(executable) is not int or executable not in (0, 1):
        raise ValueError("neither executable nor not")
    # An empty file has no bytes, so where they would start does not matter.
    index = _whole(member) if _whole(size) else 0
    return File(check_path(path), bool(executable), size, digest_text(sha256), index)


def _place(files: Files, within: Column, starts: Column) -> None:
    """Let each file's position be that of its first byte in the raw bytes."""
    placed = column(len(files))
    for row, (size, member, start) in enumerate(zip(files.sizes, files.positions, within)):
        if not size:
            placed.append(0)
            continue
        if member >= len(starts) - 1:
            raise AgentError("invalid", f"a file lies beyond the archive: {files.paths[row]!r}")
        position = starts[member] + start
        if position >= starts[member + 1]:
            raise AgentError("invalid", f"a file lies beyond its member: {files.paths[row]!r}")
        placed.append(position)
    files.positions = placed


def _link(path: Any, target: Any) -> Link:
    if not isinstance(target, str) or len(target.encode()) > _MOST_TARGET:
        raise AgentError("invalid", f"a link of the release leads nowhere: {path!r}")
    return Link(check_path(path), target)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError("not a whole number")
    return value


def _starts(members: Members) -> Column:
    # As much as a place for numbers of 64 bits holds, so that no sum of them is too much for it.
    end = 0
    for length in members.raw_lengths:
        end += length
        if end >= _MOST_RAW:
            raise ValueError("more than any archive holds")
    return members.starts()


def _check_members(members: Members, archive_size: int | None) -> None:
    end = 0
    for member in members:
        if member.offset < end:
            raise AgentError("invalid", "members of the archive overlap")
        end = member.offset + member.length
        if member.codec == "stored" and member.length != member.raw_length:
            raise AgentError("invalid", "a stored member changes its length")
    if archive_size is not None and end > archive_size:
        raise AgentError("invalid", "a member lies beyond the archive's end")


def _check_tree(table: Table) -> None:
    folders, files, links = table.directories, table.files.paths, table.links.paths
    if any(texts.many for texts in (folders, files, links)):
        # In their order the same ones follow one another: no set of them all is needed.
        ordered = (in_order(texts) for texts in (folders, files, links))
        paths: Iterable[str] = _once_in_order(path for path, _ in merge(*ordered))
        is_there = _is_there(folders)
    else:
        paths = _once(chain(folders, files, links))
        is_there = set(folders).__contains__
    for path in paths:
        above = parent(path)
        if above and not is_there(above):
            raise AgentError("invalid", f"a path lies in no directory of the release: {path!r}")
    check_links(table.links)


def _is_there(folders: Texts) -> Callable[[str], bool]:
    index, last = Index(folders), [""]

    def is_there(path: str) -> bool:
        # What lies in the same folder mostly comes one after the other.
        if path != last[0]:
            if index.find(path) < 0:
                return False
            last[0] = path
        return True

    return is_there


def _once(paths: Iterable[str]) -> Iterator[str]:
    seen = set()
    for path in paths:
        if path in seen:
            raise AgentError("invalid", f"a path is there twice: {path!r}")
        seen.add(path)
        yield path


def _once_in_order(paths: Iterable[str]) -> Iterator[str]:
    last = ""
    for path in paths:
        if path == last:
            raise AgentError("invalid", f"a path is there twice: {path!r}")
        last = path
        yield path


def _check_positions(files: Files, raw_length: int) -> None:
    end = 0
    for row in files.in_order():
        if files.positions[row] < end:
            raise AgentError("invalid", f"files of the archive overlap: {files.paths[row]!r}")
        end = files.positions[row] + files.sizes[row]
        if end > raw_length:
            raise AgentError("invalid", f"a file lies beyond the archive: {files.paths[row]!r}")
