"""Make a file table of the one of a release that is here, and of what differs.

store/table_delta.py makes the differences, docs/reference/agent-protocol.md describes them. Nothing
here is trusted: the document that comes of it must have the digest that the manifest names.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# How long the two kinds of runs are: of other lists, and of files.
_RUN = 2
_RUN_OF_FILES = 3
# Rows that are put into words at once.
_AT_ONCE = 1000


def applied(old: bytes, delta: dict[str, Any]) -> bytes | None:
    """Return the document of the new table; None if the difference does not fit the old one.

    Args:
        old: The document of the table that is here.
        delta: What differs.
    """
    try:
        before = json.loads(old)
        # Each list is written before the next is made: together they take five times the text.
        folders = _copied([[path] for path in before["directories"]], delta["directories"])
        lists = [
            b'{"directories":' + _text([path for (path,) in folders]),
            b',"files":' + _text(_files(before.pop("files"), delta["files"])),
            b',"links":' + _text(_copied(before["links"], delta["links"])),
            b',"members":'
            + _text(_with_offsets(_copied(_with_gaps(before.pop("members")), delta["members"]))),
            b',"schema":' + _dumped(before["schema"]) + b"}",
        ]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return b"".join(lists)


def _text(rows: list[Any]) -> bytes:
    """Return a list as canonical JSON, made of a few rows at a time."""
    pieces = (_dumped(rows[at : at + _AT_ONCE])[1:-1] for at in range(0, len(rows), _AT_ONCE))
    return b"[" + b",".join(pieces) + b"]"


def _dumped(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")


def _with_gaps(members: list[list[Any]]) -> list[list[Any]]:
    rows = []
    end = 0
    for offset, length, *rest in members:
        rows.append([offset - end, length, *rest])
        end = offset + length
    return rows


def _with_offsets(members: list[list[Any]]) -> list[list[Any]]:
    rows = []
    end = 0
    for gap, length, *rest in members:
        rows.append([end + gap, length, *rest])
        end += gap + length
    return rows


def _copied(old: list[list[Any]], operations: list[list[Any]]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for one in operations:
        # Members' rows are longer than a run's two numbers, all others begin with a text.
        if len(one) == _RUN and type(one[0]) is int:
            rows += _run(old, one[0], one[1])
        else:
            rows.append(one)
    return rows


def _files(old: list[list[Any]], operations: list[list[Any]]) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for one in operations:
        if type(one[0]) is not int:
            rows.append(one)
        elif len(one) == _RUN_OF_FILES:
            first, count, moved = one
            rows += [
                [path, mode, size, sha256, member + moved, start]
                for path, mode, size, sha256, member, start in _run(old, first, count)
            ]
        else:
            row, _, member, start = one
            rows.append([*_run(old, row, 1)[0][:4], member, start])
    return rows


def _run(old: list[list[Any]], first: int, count: int) -> list[list[Any]]:
    if first < 0 or count < 1 or first + count > len(old):
        raise IndexError(first)
    return old[first : first + count]
