"""The digest that identifies a tree, and what on the disk differs from it.

`store/digest.py` defines the records that the digest covers and their order.
"""

from __future__ import annotations

import hashlib
import os
import stat
from itertools import chain

from .differences import Named, Unlike
from .entries import NOT_THERE, Entries, in_bytes, in_order
from .errors import from_os_error
from .inflate import BLOCK
from .layer_link import BELOW, FOLDER, is_shared, linked_layer
from .links import SharedLinks
from .named_tuple import NamedTuple
from .stack import Stack
from .table import Link, Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .differences import Record
    from .entries import Entry

    Reads = Callable[[os.stat_result], bool]


# No file of a release has these rights; one that got them is not what was attested.
_OTHERS_WRITE = 0o022
_FOLDER = ("d",)
# So many paths of each kind are named unless more are asked for.
MOST_NAMED = 1000


class Comparison(NamedTuple):
    """How a release's directory differs from its table.

    Attributes:
        unlike: What is not as in the table; without the shared links.
        changed: Other content, size, executable bit, kind or target, or one that others may write.
        missing: In the table and not there.
        extra: There and not in the table.
    """

    unlike: Unlike
    changed: Named
    missing: Named
    extra: Named

    @property
    def total(self) -> int:
        """How many paths differ."""
        return len(self.changed) + len(self.missing) + len(self.extra)


def tree_digest(table: Table, unlike: Unlike | None = None, shared: Iterable[bytes] = ()) -> str:
    """Return the digest of a tree.

    Args:
        table: What is in the tree.
        unlike: What differs from that.
        shared: The records of what lies in the folder that may be a layer, in blocks, where the
            table does not hold that.
    """
    digest = hashlib.sha256()
    left = iter(shared)
    for path, record in records(table, unlike):
        # All paths that begin with the same folder follow one another.
        if path > BELOW:
            for block in left:
                digest.update(block)
        digest.update(record)
    for block in left:
        digest.update(block)
    return digest.hexdigest()


def records(table: Table, unlike: Unlike | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield each path of a tree with its record in the tree's digest, in their order there."""
    for path, record in _records(table, unlike) if unlike else _as_described(table):
        if record is not None:
            yield path, in_bytes("\0".join((*record, path, "\n")))


def _records(table: Table, unlike: Unlike) -> Iterator[tuple[str, Record | None]]:
    """Yield what is in the table, but of what differs from it how that is."""
    others = iter(unlike)
    other = next(others, None)
    for path, record in _as_described(table):
        place = in_bytes(path)
        while other is not None and other[0] < place:
            yield other[1:]
            other = next(others, None)
        if other is None or other[0] != place:
            yield path, record
    while other is not None:
        yield other[1:]
        other = next(others, None)


def _as_described(table: Table) -> Iterator[tuple[str, Record]]:
    return ((path, _described(table, entry)) for path, entry in in_order(table))


def every_file(_status: os.stat_result) -> bool:
    """Have every file read."""
    return True


def no_file(_status: os.stat_result) -> bool:
    """Have no file read: kind, size and executable bit must do."""
    return False


def changed_since(moment: int) -> Reads:
    """Have those files read whose inode was changed at or after a moment, in nanoseconds.

    Content, mode, owner and name of a file cannot be changed without that being noted, unless
    the host's clock is set back.
    """
    return lambda status: status.st_ctime_ns >= moment


def compare(
    top: str,
    table: Table,
    shared: SharedLinks,
    *,
    layers: str,
    reads: Reads,
    proven: str | None = None,
    most: int = MOST_NAMED,
) -> Comparison:
    """Look at every entry below `top`; at those of a layer, which it links to, where they lie.

    Args:
        top: The release's directory.
        table: What should be there.
        shared: Links into `shared/` and the folders made for them, which belong there too.
        layers: The folder of all layers.
        reads: Whether a file is read and hashed; else kind, size and executable bit must do.
        proven: The layer that was just seen to be what the table says: it is not looked at again.
        most: How many paths of each kind are named.

    Raises:
        OSError: Something cannot be read.
    """
    left = Entries(table)
    unlike = Unlike()
    changed, extra = Named(most), Named(most)
    entries = _walk(os.fsencode(top))
    layer = linked_layer(top) if left.is_directory(FOLDER) else None
    if layer is not None:
        place = os.path.join(layers, layer)
        if layer == proven:
            left.drop(is_shared)
        elif os.path.isdir(place) and not os.path.islink(place):
            entries = chain(entries, _walk(os.fsencode(place), os.fsencode(FOLDER)))
        else:
            layer = None
    for path, absolute, status in entries:
        if path in shared.directories:
            continue
        # What was seen is left out, so that nothing is kept of what is as it should be.
        entry = left.pop(path, NOT_THERE)
        if layer is not None and path == FOLDER:
            continue
        expected = None if entry is NOT_THERE else _described(table, entry)
        if path in shared.links and _is_link_to(absolute, status, shared.links[path]):
            if expected is not None and expected != _FOLDER:
                unlike.add(path, _FOLDER)
                changed.add(path)
            continue
        record = _record(absolute, status, None if reads(status) else _known(expected))
        if record != expected:
            unlike.add(path, record)
            (extra if expected is None else changed).add(path)
    found = Comparison(unlike, changed, Named(most), extra)
    _note_missing(found, left, top, shared)
    return found


def _note_missing(found: Comparison, left: Entries, top: str, shared: SharedLinks) -> None:
    lost = {path for path in shared.links if not os.path.islink(os.path.join(top, path))}
    for path in left:
        found.unlike.add(path, None)
        found.missing.add(path)
        lost.discard(path)
    for path in lost:
        found.missing.add(path)


def holds(top: str, part: Table) -> bool:
    """Read a layer; whether it holds what a part of a table says, and nothing else.

    Raises:
        OSError: The disk is full, which says nothing of the layer.
    """
    left = Entries(part)
    left.pop(FOLDER, NOT_THERE)
    try:
        for path, absolute, status in _walk(os.fsencode(top), os.fsencode(FOLDER)):
            entry = left.pop(path, NOT_THERE)
            if entry is NOT_THERE or _record(absolute, status, None) != _described(part, entry):
                return False
    except OSError as error:
        if from_os_error(error).code == "no-space":
            raise
        return False
    return not left


def _described(table: Table, entry: Entry) -> Record:
    """Return the record of an entry as the table describes it."""
    if entry is None:
        return _FOLDER
    if isinstance(entry, Link):
        return ("l", entry.target)
    file = table.files[entry]
    return _file_record(file.executable, file.size, file.sha256)


def _walk(top: bytes, name: bytes = b"") -> Iterator[tuple[str, bytes, os.stat_result]]:
    """Yield all below the folder `top`, which is called `name`."""
    left = Stack([(name, top)])
    while left:
        folder, place = left.pop()
        above = folder + b"/" if folder else b""
        with os.scandir(place) as entries:
            for entry in entries:
                path = above + entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    left.push((path, entry.path))
                yield _text(path), entry.path, status


def _record(absolute: bytes, status: os.stat_result, known: str | None) -> Record:
    if stat.S_ISDIR(status.st_mode):
        return ("d",)
    if stat.S_ISLNK(status.st_mode):
        return ("l", _text(os.readlink(absolute)))
    if not stat.S_ISREG(status.st_mode):
        return ("o",)
    try:
        sha256 = known if known is not None else _hash(absolute)
    except PermissionError:
        return ("o",)
    if status.st_mode & _OTHERS_WRITE:
        return ("f", f"{stat.S_IMODE(status.st_mode):o}", str(status.st_size), sha256)
    return _file_record(bool(status.st_mode & 0o100), status.st_size, sha256)


def _known(expected: Record | None) -> str:
    """Return the digest that a file is taken to have if it is not read."""
    return expected[-1] if expected is not None and expected[0] == "f" else ""


def _file_record(executable: bool, size: int, sha256: str) -> Record:
    return ("f", "755" if executable else "644", str(size), sha256)


def _is_link_to(absolute: bytes, status: os.stat_result, target: str) -> bool:
    return stat.S_ISLNK(status.st_mode) and os.readlink(absolute) == in_bytes(target)


def _hash(path: bytes) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
