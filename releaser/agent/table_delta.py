"""Make a file table of the one of a release that is here, and of what differs.

store/table_delta.py makes the differences, docs/reference/agent-protocol.md describes them. Nothing
here is trusted: the document that comes of it must have the digest that the manifest names.
"""

from __future__ import annotations

import json
from itertools import islice

from .columns import Files, Link, Links, Members
from .json_rows import rows
from .numbers import Numbers
from .texts import Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .packed import Packed

_LISTS = ("directories", "files", "links", "members")
# How long the two kinds of runs are: of other lists, and of files.
_RUN = 2
RUN_OF_FILES = 3
# Bytes of a difference that is read as a whole: six times that in memory.
_SHORT = 1024 * 1024
# Rows that are put into words at once.
_AT_ONCE = 1000


class Delta:
    """What differs."""

    def __init__(self, document: Packed) -> None:
        """Take the document.

        Raises:
            AgentError: `corrupt`: it cannot be unpacked.
            ValueError: It cannot be read.
        """
        self._document = document
        text = bytearray()
        for block in document.blocks():
            text += block
            if len(text) > _SHORT:
                self._lists: dict[str, Any] | None = None
                return
        self._lists = json.loads(text)

    def operations(self, kind: str) -> Iterable[list[Any]]:
        """Return what the new table has of one of its lists.

        Raises:
            LookupError, TypeError, ValueError: It says nothing of that.
        """
        return self._read(kind) if self._lists is None else self._lists[kind]

    def _read(self, kind: str) -> Iterator[list[Any]]:
        said = False
        for name, row in rows(self._document.blocks(), _LISTS):
            if name == kind and row is not None:
                yield row
            said |= name == kind
        if not said:
            raise LookupError(kind)


def applied(old: Iterable[bytes], delta: Delta) -> Iterator[bytes]:
    """Yield the document of the new table, piece by piece.

    Args:
        old: The document of the table that is here, in blocks.
        delta: What differs.

    Raises:
        ValueError: The difference does not fit the old table.
    """
    try:
        yield from _written(_Old(old), delta)
    except (LookupError, OverflowError, TypeError) as error:
        raise ValueError("the difference does not fit") from error


class _Old:
    """The rows of the table that is here; the position of a file is its member's index."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.folders = Texts()
        self.files, self.within = Files(), Numbers()
        self.links = Links()
        self.members = Members()
        self.schema: Any = None
        for name, row in rows(blocks, _LISTS):
            if name == "schema":
                self.schema = row
            elif row is not None:
                self._add(name, row)

    def _add(self, name: str, row: Any) -> None:
        if name == "files":
            self.files.add(*row[:-1])
            self.within.append(row[-1])
        elif name == "members":
            self.members.add(*row)
        elif name == "links":
            self.links.append(Link(*row))
        else:
            self.folders.append(row)

    def file(self, at: int) -> list[Any]:
        """Return a file's row."""
        path, executable, size, sha256, member = self.files[at]
        return [path, int(executable), size, sha256, member, self.within[at]]

    def member(self, at: int) -> list[Any]:
        """Return a member's row, with the gap before it instead of its offset."""
        offset, *rest = self.members[at]
        end = self.members.offsets[at - 1] + self.members.lengths[at - 1] if at else 0
        return [offset - end, *rest]


def _written(old: _Old, delta: Delta) -> Iterator[bytes]:
    told = delta.operations
    folders = copied(len(old.folders), lambda at: [old.folders[at]], told("directories"))
    yield b'{"directories":'
    yield from _text(path for (path,) in folders)
    yield b',"files":'
    yield from _text(_files(old, told("files")))
    yield b',"links":'
    yield from _text(copied(len(old.links), lambda at: [*old.links[at]], told("links")))
    yield b',"members":'
    yield from _text(with_offsets(copied(len(old.members), old.member, told("members"))))
    yield b',"schema":' + dumped(old.schema) + b"}"


def _text(values: Iterable[Any]) -> Iterator[bytes]:
    """Yield a list as canonical JSON, made of a few rows at a time."""
    left = iter(values)
    before = b"["
    while some := list(islice(left, _AT_ONCE)):
        yield before + dumped(some)[1:-1]
        before = b","
    yield b"]" if before == b"," else b"[]"


def dumped(value: Any) -> bytes:
    """Return a value as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def with_offsets(members: Iterable[list[Any]]) -> Iterator[list[Any]]:
    """Yield members' rows, of those that begin with the gap before each."""
    end = 0
    for gap, length, *rest in members:
        yield [end + gap, length, *rest]
        end += gap + length


def copied(
    count: int, row: Callable[[int], list[Any]], operations: Iterable[list[Any]]
) -> Iterator[list[Any]]:
    """Yield the rows that operations name or spell out.

    Args:
        count: How many rows the old table has.
        row: Returns one of them.
        operations: What the new table has.
    """
    for one in operations:
        # Members' rows are longer than a run's two numbers, all others begin with a text.
        if len(one) == _RUN and type(one[0]) is int:
            yield from map(row, run(count, one[0], one[1]))
        else:
            yield one


def _files(old: _Old, operations: Iterable[list[Any]]) -> Iterator[list[Any]]:
    count = len(old.files)
    for one in operations:
        if type(one[0]) is not int:
            yield one
        elif len(one) == RUN_OF_FILES:
            first, many, moved = one
            for at in run(count, first, many):
                path, mode, size, sha256, member, start = old.file(at)
                yield [path, mode, size, sha256, member + moved, start]
        else:
            row, _, member, start = one
            yield [*old.file(run(count, row, 1)[0])[:4], member, start]


def run(there: int, first: int, count: int) -> range:
    """Return the rows of a run.

    Raises:
        IndexError: There are not so many.
    """
    if first < 0 or count < 1 or first + count > there:
        raise IndexError(first)
    return range(first, first + count)
