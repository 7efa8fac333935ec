"""A patch as a request describes it: what comes of it, from what; none of it is trusted.

store/patch.py defines the document, docs/reference/patches.md explains it.
"""

from __future__ import annotations

import os

from .columns import Files
from .errors import AgentError
from .index import Index
from .manifest import digest_text
from .named_tuple import NamedTuple
from .raw_table import RawFiles, read_raw_files
from .records import is_complete, read_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .columns import File
    from .layout import Layout
    from .parameters import Parameters

# Bytes of the content of one frame, and of what it was made against, which is in memory twice for a
# moment. With those the agent stays below 64 MiB, whatever a patch holds.
MOST_OF_A_FRAME = 6 * 1024 * 1024


class Frame(NamedTuple):
    """A part of a patch: `length` bytes of it, which hold `size` bytes of new content.

    It was made against the `span` bytes of old content that begin at `start`.
    """

    length: int
    size: int
    start: int
    span: int


class Patch(NamedTuple):
    """A patch that fits what is here.

    Attributes:
        base: The version that it starts from.
        folder: Where that lies.
        size: Bytes.
        sha256: Their digest.
        old: The files there whose content, joined, is the old content.
        new: The files whose content, joined, comes of it.
        rows: Those of `new` by path.
        frames: In their order.
        sources: Where to take it from, tried in this order.
    """

    base: str
    folder: str
    size: int
    sha256: str
    old: Files
    new: Files
    rows: Index
    frames: list[Frame]
    sources: list[Parameters]


def offered(layout: Layout, parameters: Parameters, files: Files | RawFiles) -> Patch | None:
    """Return the patch that a request offers; None if there is none that could be used here.

    Args:
        layout: The app's paths.
        parameters: The request.
        files: All rows about files of the release that is wanted.
    """
    said = parameters.within("patch")
    if said is None:
        return None
    try:
        base = said.version("base")
        if not is_complete(layout, base):
            return None
        new = _rows(files, said.get("new"))
        patch = Patch(
            base,
            layout.release(base),
            said.whole("size"),
            digest_text(said.get("sha256")),
            _rows(_files_of(layout, base), said.get("old")),
            new,
            Index(new.paths),
            [Frame(*map(_whole, row)) for row in said.get("frames")],
            said.each_or_none("sources"),
        )
    except (AgentError, OSError, IndexError, TypeError, ValueError):
        return None
    return patch if _adds_up(patch) else None


def _files_of(layout: Layout, version: str) -> Files | RawFiles:
    try:
        return read_raw_files(layout, version)
    except ValueError:
        return read_table(layout, version).files


def _rows(files: Files | RawFiles, runs: Any) -> Files:
    found = Files()
    for first, count in runs:
        if _whole(first) + _whole(count) > len(files):
            raise IndexError(first)
        if len(found) + count > len(files):
            raise ValueError("a row is there twice")
        for row in range(first, first + count):
            found.add(*files[row])
    return found


def _adds_up(patch: Patch) -> bool:
    old = sum(patch.old.sizes)
    return (
        sum(frame.length for frame in patch.frames) == patch.size
        and sum(frame.size for frame in patch.frames) == sum(patch.new.sizes)
        and all(frame.start + frame.span <= old for frame in patch.frames)
        and all(max(frame.size, frame.span) <= MOST_OF_A_FRAME for frame in patch.frames)
    )


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a whole number")
    return value


def path_of(patch: Patch, file: File) -> bytes:
    """Return where a file of the old release lies."""
    return os.fsencode(os.path.join(patch.folder, file.path))
