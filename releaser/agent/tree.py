"""The digest that identifies a tree, and what on the disk differs from it.

`store/digest.py` defines the records that the digest covers and their order.
"""

from __future__ import annotations

import hashlib
import os
import stat
from itertools import chain
from typing import NamedTuple

from .inflate import BLOCK
from .layer_link import FOLDER, is_shared, linked_layer
from .links import SharedLinks
from .table import Table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Reads = Callable[[os.stat_result], bool]


# No file of a release has these rights; one that got them is not what was attested.
_OTHERS_WRITE = 0o022


class Comparison(NamedTuple):
    """How a release's directory differs from its table; paths as people can read them, sorted.

    Attributes:
        records: What was found, a record each, by path as it is; without the shared links.
        changed: Other content, size, executable bit, kind or target, or one that others may write.
        missing: In the table and not there.
        extra: There and not in the table.
    """

    records: dict[str, tuple[str, ...]]
    changed: list[str]
    missing: list[str]
    extra: list[str]


def table_records(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the record of each entry that the table describes, without the path itself."""
    records: dict[str, tuple[str, ...]] = dict.fromkeys(table.directories, ("d",))
    for file in table.files:
        records[file.path] = _file_record(file.executable, file.size, file.sha256)
    records.update((link.path, ("l", link.target)) for link in table.links)
    return records


def tree_digest(records: Mapping[str, tuple[str, ...]]) -> str:
    """Return the digest of a tree."""
    digest = hashlib.sha256()
    for path in sorted(records, key=_bytes):
        digest.update(_bytes("\0".join((*records[path], path, "\n"))))
    return digest.hexdigest()


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
) -> Comparison:
    """Look at every entry below `top`; at those of a layer, which it links to, where they lie.

    Args:
        top: The release's directory.
        table: What should be there.
        shared: Links into `shared/` and the folders made for them, which belong there too.
        layers: The folder of all layers.
        reads: Whether a file is read and hashed; else kind, size and executable bit must do.
        proven: The layer that was just seen to be what the table says: it is not looked at again.

    Raises:
        OSError: Something cannot be read.
    """
    wanted = table_records(table)
    found: dict[str, tuple[str, ...]] = {}
    extra = []
    entries = _walk(os.fsencode(top))
    layer = linked_layer(top) if wanted.get(FOLDER) == ("d",) else None
    if layer is not None:
        place = os.path.join(layers, layer)
        if layer == proven:
            found.update((path, wanted[path]) for path in wanted if is_shared(path))
        elif os.path.isdir(place) and not os.path.islink(place):
            entries = chain(entries, _walk(os.fsencode(place), os.fsencode(FOLDER)))
        else:
            layer = None
    for path, absolute, status in entries:
        if path in shared.directories:
            continue
        if layer is not None and path == FOLDER:
            found[path] = ("d",)
            continue
        expected = wanted.get(path)
        if path in shared.links and _is_link_to(absolute, status, shared.links[path]):
            if expected is not None:
                found[path] = ("d",)
            continue
        if expected is None:
            extra.append(path)
        found[path] = _record(absolute, status, None if reads(status) else _known(expected))
    links_lost = [path for path in shared.links if not os.path.islink(os.path.join(top, path))]
    return Comparison(
        records=found,
        changed=_shown(p for p, record in found.items() if wanted.get(p, record) != record),
        missing=_shown({p for p in wanted if p not in found} | set(links_lost)),
        extra=_shown(extra),
    )


def holds(top: str, part: Table) -> bool:
    """Read a layer; whether it holds what a part of a table says, and nothing else."""
    name = os.fsencode(FOLDER)
    wanted = table_records(part)
    del wanted[FOLDER]
    try:
        found = {path: _record(at, its, None) for path, at, its in _walk(os.fsencode(top), name)}
    except OSError:
        return False
    return found == wanted


def _shown(paths: Iterable[str]) -> list[str]:
    """Return paths with escapes for what is no text or does something to a terminal."""
    return sorted(
        "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)
        for path in paths
    )


def _walk(top: bytes, name: bytes = b"") -> Iterator[tuple[str, bytes, os.stat_result]]:
    """Yield all below the folder `top`, which is called `name`."""
    left = [(name, top)]
    while left:
        folder, place = left.pop()
        above = folder + b"/" if folder else b""
        with os.scandir(place) as entries:
            for entry in entries:
                path = above + entry.name
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    left.append((path, entry.path))
                yield _text(path), entry.path, status


def _record(absolute: bytes, status: os.stat_result, known: str | None) -> tuple[str, ...]:
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


def _known(expected: tuple[str, ...] | None) -> str:
    """Return the digest that a file is taken to have if it is not read."""
    return expected[-1] if expected is not None and expected[0] == "f" else ""


def _file_record(executable: bool, size: int, sha256: str) -> tuple[str, ...]:
    return ("f", "755" if executable else "644", str(size), sha256)


def _is_link_to(absolute: bytes, status: os.stat_result, target: str) -> bool:
    return stat.S_ISLNK(status.st_mode) and os.readlink(absolute) == _bytes(target)


def _hash(path: bytes) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            digest.update(block)
    return digest.hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
