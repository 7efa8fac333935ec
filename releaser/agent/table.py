"""The file table, read as untrusted text: every path and number is checked before it is used.

store/filetable.py defines the document.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .errors import AgentError
from .manifest import digest_text
from .paths import check_links, check_path, parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_TARGET = 4000
_CODECS = ("gzip", "deflate", "stored")


class Member(NamedTuple):
    """One independently compressed run of the archive."""

    offset: int
    length: int
    raw_length: int
    sha256: str
    codec: str


class File(NamedTuple):
    """A regular file; `position` is its first byte's in the raw bytes of all members, joined."""

    path: str
    executable: bool
    size: int
    sha256: str
    position: int


class Link(NamedTuple):
    """A symbolic link that stays inside the tree."""

    path: str
    target: str


class Table(NamedTuple):
    """Everything in a release's tree, and where in the archive its bytes are."""

    members: list[Member]
    directories: list[str]
    files: list[File]
    links: list[Link]


def parse_table(data: bytes, *, archive_size: int | None = None) -> Table:
    """Read a table.

    Args:
        data: The document, uncompressed.
        archive_size: Bytes of the archive, where members must lie; None where only the tree
            matters.

    Raises:
        AgentError: `invalid`: it does not fit the schema, or holds something that must not be.
    """
    try:
        values = json.loads(data)
        if values["schema"] != 1:
            raise AgentError(
                "invalid", f"a file table of schema {values['schema']!r} is not understood"
            )
        members: list[Member] = _each(values.pop("members"), _member)
        starts = _starts(members)
        table = Table(
            members=members,
            directories=[check_path(path) for path in values["directories"]],
            files=_each(values.pop("files"), lambda *row: _file(starts, *row)),
            links=[_link(*row) for row in values["links"]],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise AgentError("invalid", "the file table does not fit its schema") from error
    _check_members(members, archive_size)
    _check_tree(table)
    _check_positions(table, starts[-1])
    return table


def _each(rows: Any, read: Callable[..., Any]) -> list[Any]:
    """Put in each row's place what it is read as: both of all rows would be twice the memory."""
    if not isinstance(rows, list):
        raise TypeError("not a list")
    for number, row in enumerate(rows):
        rows[number] = read(*row)
    return rows


def _member(offset: Any, length: Any, raw_length: Any, sha256: Any, codec: Any) -> Member:
    if codec not in _CODECS:
        raise ValueError("an unknown codec")
    return Member(_whole(offset), _whole(length), _whole(raw_length), digest_text(sha256), codec)


def _file(
    starts: list[int], path: Any, executable: Any, size: Any, sha256: Any, member: Any, start: Any
) -> File:
    if type(executable) is not int or executable not in (0, 1):
        raise ValueError("neither executable nor not")
    position = 0
    # An empty file has no bytes, so where they would start does not matter.
    if _whole(size):
        if _whole(member) >= len(starts) - 1:
            raise AgentError("invalid", f"a file lies beyond the archive: {path!r}")
        position = starts[member] + _whole(start)
        if position >= starts[member + 1]:
            raise AgentError("invalid", f"a file lies beyond its member: {path!r}")
    return File(check_path(path), bool(executable), size, digest_text(sha256), position)


def _link(path: Any, target: Any) -> Link:
    if not isinstance(target, str) or len(target.encode()) > _MOST_TARGET:
        raise AgentError("invalid", f"a link of the release leads nowhere: {path!r}")
    return Link(check_path(path), target)


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise ValueError("not a whole number")
    return value


def _starts(members: list[Member]) -> list[int]:
    starts = [0]
    for member in members:
        starts.append(starts[-1] + member.raw_length)
    return starts


def _check_members(members: list[Member], archive_size: int | None) -> None:
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
    directories = set(table.directories)
    everything = table.directories + [f.path for f in table.files] + [n.path for n in table.links]
    seen = set()
    for path in everything:
        if path in seen:
            raise AgentError("invalid", f"a path is there twice: {path!r}")
        seen.add(path)
        above = parent(path)
        if above and above not in directories:
            raise AgentError("invalid", f"a path lies in no directory of the release: {path!r}")
    check_links({link.path: link.target for link in table.links})


def _check_positions(table: Table, raw_length: int) -> None:
    end = 0
    for file in sorted((f for f in table.files if f.size), key=lambda f: f.position):
        if file.position < end:
            raise AgentError("invalid", f"files of the archive overlap: {file.path!r}")
        end = file.position + file.size
        if end > raw_length:
            raise AgentError("invalid", f"a file lies beyond the archive: {file.path!r}")
