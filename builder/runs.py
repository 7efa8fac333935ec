"""Cut the tar stream of a tree into runs of bytes, each to be compressed by itself.

Where a run ends depends on the entries near it alone, not on how many came before. So two releases
that differ in a few files have all but a few runs in common, which a builder need not compress
again, and each entry has the same time, whatever the commit.
"""

from __future__ import annotations

import hashlib
import itertools
import tarfile
import threading
import zlib
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from castoff.builder.rows import Rows, TreeFile
from castoff.builder.settled import Settled
from castoff.builder.tree import Tree
from castoff.store.filetable import File, Link

# Raw bytes. Small runs make small differences between releases, and a larger archive. Of nine
# consecutive releases of a Django application, in one stream, in runs of at most 512, 128 and
# 64 KiB: 31.95, 32.04, 32.58 and 33.11 MB (`tar czf` 31.99), of which hosts that had the release
# before lacked 13.7, 10.6 and 10.0 MB altogether. From `_LEAST` on, one name in `_BORDERS` ends a
# run, and from `_LEAST_OF_GROUP` on the end of a package, as packages change by themselves.
RUN = 128 * 1024
_LEAST = 40 * 1024
_LEAST_OF_GROUP = 10 * 1024
_BORDERS = 8
SLICE = 1024 * 1024

# Seconds since the epoch: 1980, the first time that a zip can hold too. GNU tar warns of 0.
TIME = 315_532_800

# Bytes of a file whose size has eleven octal digits at most.
MOST_PLAIN = 8**11

# What all plain headers have in common, with its share in their sums, for which the field of the
# sum itself counts as blanks.
_NOBODY = b"0000000\0" * 2
_REST = b"ustar\x0000" + bytes(247)
_CONSTANT_SUM = sum(_NOBODY + b"%011o" % TIME + b" " * 8 + _REST)

_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes that become one member.

    Attributes:
        raw_length: How many there are.
        read: Returns them. Raises BuildError if a file is no longer what `walk` found.
        key: Digest of what they are made of.
    """

    raw_length: int
    read: Callable[[], bytes]
    key: str


@dataclass(frozen=True, slots=True)
class _Part:
    """An entry of the tar stream.

    Attributes:
        file: Its content follows the header, where it is a file.
    """

    header: bytes
    file: TreeFile | None

    @property
    def padding(self) -> int:
        return 0 if self.file is None else -self.file.size % tarfile.BLOCKSIZE

    @property
    def length(self) -> int:
        return len(self.header) + (0 if self.file is None else self.file.size + self.padding)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Runs that an earlier build has compressed, in a row.

    Attributes:
        settled: Where they are.
        first: The first of them there; all others follow.
        number: Its number in this archive.
    """

    settled: Settled
    first: int
    number: int


@dataclass
class Cutter:
    """Turns a tree into runs, and notes in which run each file starts.

    Attributes:
        rows: A row for each file that has been cut, in order, or the stretch that it is in.
        firsts: The path of the entry that each run begins in; None for the end of the tar. Those
            in stretches are left out.
        done: Runs yielded, those in stretches among them.
    """

    rows: list[File | Stretch] = field(default_factory=list)
    firsts: list[str | None] = field(default_factory=list)
    done: int = 0

    def cut(self, tree: Tree) -> Iterator[Run | Stretch]:
        """Yield all runs in the order of the stream; nothing is read before a run is wanted."""
        entries = _Entries(tree)
        parts: list[_Part] = []
        length = position = 0
        before = ""
        while position < len(entries):
            path, part = entries.at(position)
            if parts and ends_run(length, part.length, before, path):
                yield self._give(_run(tree, parts, length))
                parts, length = [], 0
            if not parts:
                stretch = entries.stretch_at(position, self.done)
                if stretch is not None:
                    self.rows.append(stretch)
                    yield stretch
                    # Only when it has been taken is it certain how long it is.
                    self.done += stretch.settled.count(stretch.first)
                    position = entries.after(stretch)
                    continue
                self.firsts.append(path)
            position += 1
            if part.file is not None:
                self._note(part.file, length + len(part.header))
                if part.length > RUN:
                    for number, run in enumerate(_slices(tree, part.file, part)):
                        if number:
                            self.firsts.append(path)
                        yield self._give(run)
                    continue
            parts.append(part)
            length += part.length
            before = path
        if parts:
            yield self._give(_run(tree, parts, length))
        self.firsts.append(None)
        yield self._give(Run(len(_END), lambda: _END, hashlib.sha256(_END).hexdigest()))

    def _note(self, file: TreeFile, start: int) -> None:
        self.rows.append(File(file.path, file.executable, file.size, file.sha256, self.done, start))

    def _give(self, run: Run) -> Run:
        self.done += 1
        return run


class _Entries:
    """Directories, files and links of a tree in the order of UTF-8 paths, by their numbers."""

    def __init__(self, tree: Tree) -> None:
        own: list[tuple[str, str | TreeFile | Link]] = []
        own += [(path, path) for path in tree.own_directories]
        own += [(file.path, file) for file in tree.own_files]
        own += [(link.path, link) for link in tree.own_links]
        own.sort(key=lambda pair: pair[0])
        self._own = own
        self._rows: Rows | None = None
        self._settled: Settled | None = None
        self._begin = self._end = len(own)
        if tree.layer is not None:
            self._rows, self._settled = tree.layer.rows, tree.layer.settled
            self._begin = bisect([path for path, _ in own], tree.layer.under)
            self._end = self._begin + len(self._rows)

    def __len__(self) -> int:
        return len(self._own) + self._end - self._begin

    def at(self, position: int) -> tuple[str, _Part]:
        """Return an entry's path, and the entry."""
        if position < self._begin:
            path, entry = self._own[position]
        elif position >= self._end or self._rows is None:
            path, entry = self._own[position - (self._end - self._begin)]
        else:
            number = position - self._begin
            path, entry = self._rows.paths[number], self._rows.entry(number)
        return path, _Part(_header(entry), entry if isinstance(entry, TreeFile) else None)

    def stretch_at(self, position: int, done: int) -> Stretch | None:
        """Return what an earlier build has of the runs that begin with this entry."""
        if self._settled is None or not self._begin <= position < self._end:
            return None
        first = self._settled.run_at(position - self._begin)
        return None if first is None else Stretch(self._settled, first, done)

    def after(self, stretch: Stretch) -> int:
        """Return the number of the entry that follows a stretch."""
        return self._begin + stretch.settled.end


def entry_length(entry: str | TreeFile | Link) -> int:
    """Return how many bytes an entry takes in the stream."""
    return _Part(_header(entry), entry if isinstance(entry, TreeFile) else None).length


def _slices(tree: Tree, file: TreeFile, part: _Part) -> Iterator[Run]:
    """Yield one large file in slices, the first one with its header, the last with the padding."""
    check = _Check(tree, file)
    size = len(part.header) + file.size + part.padding
    # The padding alone makes no run.
    cuts = [*range(0, len(part.header) + file.size, SLICE), size]
    for begin, end in itertools.pairwise(cuts):
        yield _slice(tree, file, part, begin, end, check)


def _slice(
    tree: Tree, file: TreeFile, part: _Part, begin: int, end: int, check: Callable[[], None]
) -> Run:
    """Return the bytes from `begin` to `end` of an entry."""
    head = part.header[begin:end]
    start = max(begin - len(part.header), 0)
    stop = min(end - len(part.header), file.size)
    pads = end - begin - len(head) - (stop - start)

    def read() -> bytes:
        check()
        return head + tree.read(file, start, stop - start) + bytes(pads)

    facts = f"{file.sha256} {start} {stop} {pads} ".encode() + head
    return Run(end - begin, read, hashlib.sha256(facts).hexdigest())


class _Check:
    """Compares a file with its digest the first time that it is called, from any thread."""

    def __init__(self, tree: Tree, file: TreeFile) -> None:
        self._tree, self._file = tree, file
        self._lock = threading.Lock()
        self._done = False

    def __call__(self) -> None:
        with self._lock:
            if not self._done:
                self._tree.check(self._file)
                self._done = True


def _run(tree: Tree, parts: list[_Part], length: int) -> Run:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.header)
        if part.file is not None:
            digest.update(bytes.fromhex(part.file.sha256))

    def read() -> bytes:
        raw = bytearray()
        for part in parts:
            raw += part.header
            if part.file is not None:
                content = tree.read(part.file)
                if hashlib.sha256(content).hexdigest() != part.file.sha256:
                    # Says what is wrong.
                    tree.check(part.file)
                raw += content
                raw += bytes(part.padding)
        return bytes(raw)

    return Run(length, read, digest.hexdigest())


def ends_run(length: int, more: int, before: str, path: str) -> bool:
    """Say whether a run ends between two entries that follow one another.

    Args:
        length: How many bytes it has.
        more: How many the next entry would bring.
        before: The last entry's path.
        path: The next one's.
    """
    if length + more > RUN:
        return True
    if length >= _LEAST and zlib.crc32(path.encode()) % _BORDERS == 0:
        return True
    return length >= _LEAST_OF_GROUP and group(before) != group(path)


def group(path: str) -> str:
    """Return what changes by itself: a package in `lib/`, with what is said of it beside it."""
    return "/".join(path.split("/", 2)[:2]).partition("-")[0]


def _header(entry: str | TreeFile | Link) -> bytes:
    """Return an entry's header blocks, with a PAX header before it where a plain one cannot do."""
    if isinstance(entry, str):
        kind, mode, name, size = tarfile.DIRTYPE, 0o755, f"{entry}/", 0
    elif isinstance(entry, Link):
        kind, mode, name, size = tarfile.SYMTYPE, 0o777, entry.path, 0
    else:
        mode = 0o755 if entry.executable else 0o644
        kind, name, size = tarfile.REGTYPE, entry.path, entry.size
    target = entry.target if isinstance(entry, Link) else ""
    plain = name.isascii() and target.isascii() and size < MOST_PLAIN
    if plain and len(name) <= tarfile.LENGTH_NAME and len(target) <= tarfile.LENGTH_LINK:
        return _plain_header(kind, mode, name.encode(), size, target.encode())
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.size, info.linkname, info.mtime = kind, mode, size, target, TIME
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _plain_header(kind: bytes, mode: int, name: bytes, size: int, target: bytes) -> bytes:
    """Return a ustar header (POSIX.1-1988), owned by 0; five times as fast as tarfile's."""
    varying = b"%b%07o%011o%b%b" % (name, mode, size, kind, target)
    return b"%b%07o\0%b%011o\0%011o\0%06o\0 %b%b%b" % (
        name.ljust(100, b"\0"),
        mode,
        _NOBODY,
        size,
        TIME,
        sum(varying) + _CONSTANT_SUM,
        kind,
        target.ljust(100, b"\0"),
        _REST,
    )
