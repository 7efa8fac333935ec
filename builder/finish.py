"""Finish `lib/` in one reading of it: digests, byte code, RECORDs, a look for keys, and a pack.

There are ten thousand files, and to open one takes as long as to hash it. While files are read
here, packages that have been read are compiled elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO

from castoff.builder.bytecode import ByteCode, Compiler, identity
from castoff.builder.distributions import Distribution
from castoff.builder.normalise import record
from castoff.builder.pack import Writer
from castoff.builder.secret_content import holds_key, may_hold_key
from castoff.builder.secret_names import is_repository
from castoff.builder.tree import Listed, list_tree
from castoff.store.manifest import Pruned

# Bytes: what is larger is not held in memory.
_LARGE = 8 * 1024 * 1024

_CACHE = "/__pycache__/"
# In a RECORD: the package, and the size, of Python code in it.
_CODE = re.compile(r"^([A-Za-z_]\w*)/[^,\n]*\.py,[^,\n]*,(\d+)\r?$", re.MULTILINE | re.ASCII)

# Distributions that need a RECORD, and what was left out of `lib/`.
Tidied = tuple[Sequence[Distribution], Pruned]


class Suspicious(Exception):
    """There may be a secret: who looks at all files of the release says where and what."""


def finish(
    lib: Path,
    file: BinaryIO,
    *,
    tidied: Callable[[], Tidied],
    ahead: int,
    compiler: Compiler | None,
    allow: Collection[str],
) -> None:
    """Write a pack of all that is to be in `lib/`, noting what was left out.

    Args:
        lib: The tree's folder.
        file: Where the pack is written to.
        tidied: Called once, tidies `lib`.
        ahead: How many packages are compiled from before that on. None may be where code is left
            out.
        compiler: Makes byte code, and is ended here; None makes none.
        allow: Harmless files, each as `path@sha256:digest`.

    Raises:
        Suspicious: Some file is not harmless for certain.
        BuildError: A name cannot be released, or the interpreter that compiles fails.
        OSError: A file cannot be read or written.
    """
    house = _House(lib, Writer(file), frozenset(allow))
    with compiler or nullcontext():
        if compiler is not None:
            # All processors have something to do while one tidies and lists.
            for entry in _first(lib, ahead):
                house.take_ahead(entry, compiler)
        distributions, pruned = tidied()
        listed = list_tree(lib.parent, lib.name)
        links = (link.path for link in listed.links)
        if any(map(is_repository, (*listed.directories, *listed.files, *links))):
            raise Suspicious
        house.take_listed(listed)
        records = {f"{one.info.name}/RECORD": one for one in distributions}
        for names in _packages(listed):
            sources = [name for name in names if _is_source(name)]
            house.take_sources(sources, compiler)
        # Only now, so that no processor waits for something to compile.
        for path in listed.files:
            name = path.partition("/")[2]
            if name not in house.known and name not in records:
                house.take(path)
        for path, distribution in records.items():
            house.take_made(path, record(lib, distribution, house.known))
        for made in () if compiler is None else compiler.finish():
            house.take_code(made)
    house.writer.finish(pruned.model_dump())


class _House:
    """Takes files into the pack.

    Attributes:
        known: Size and SHA-256 of files by path from `lib/` on, without byte code.
    """

    def __init__(self, lib: Path, writer: Writer, allow: frozenset[str]) -> None:
        self._lib, self._allow = lib, allow
        self._status: dict[str, os.stat_result] = {}
        self._folders: set[str] = set()
        self._ahead: set[str] = set()
        self._early: list[ByteCode] = []
        self.writer = writer
        self.known: dict[str, tuple[int, str]] = {}

    def take_ahead(self, entry: str, compiler: Compiler) -> None:
        """Take the sources of one entry of `lib/`, of which no more is known; compile them."""
        listed = list_tree(self._lib.parent, f"{self._lib.name}/{entry}")
        self._status.update(listed.files)
        self._ahead.add(entry)
        # Byte code that a wheel brought goes before all is listed.
        sources = [name for name in listed.files if _is_source(name) and _CACHE not in name]
        made = self._compile(sources, compiler)
        if made is not None:
            self._early.append(made)

    def take_listed(self, listed: Listed) -> None:
        """Take note of all files; take folders, and links."""
        self._status.update(listed.files)
        self._folders.update(listed.directories)
        for path in listed.directories:
            self.writer.add_folder(path.partition("/")[2])
        for link in listed.links:
            self.writer.add_link(link.path.partition("/")[2], link.target)
        for made in self._early:
            self.take_code(made)

    def take_sources(self, sources: Sequence[str], compiler: Compiler | None) -> None:
        """Take the sources of one entry of `lib/`, unless that was done; compile them."""
        if not sources or sources[0].split("/")[1] in self._ahead:
            return
        if compiler is None:
            for name in sources:
                self.take(name)
        else:
            self.take_code(self._compile(sources, compiler) or {})

    def _compile(self, sources: Sequence[str], compiler: Compiler) -> ByteCode | None:
        # In the order of a walk, which byte code depends on.
        sources = sorted(sources, key=lambda name: name.split("/"))
        for name in sources:
            self.take(name)
        digests = [self.known[name.partition("/")[2]][1] for name in sources]
        return compiler.add(sources, digests, identity(self._status[name] for name in sources))

    def take(self, path: str) -> None:
        """Take a file; its path begins with `lib/` here."""
        status = self._status[path]
        mode = 0o755 if status.st_mode & 0o100 else 0o644
        name = path.partition("/")[2]
        place = f"{self._lib}/{name}"
        if status.st_size < _LARGE:
            content = _read(place, status.st_size)
            size, digest = len(content), hashlib.sha256(content).hexdigest()
            self.writer.add(name, mode, content, digest)
            found = may_hold_key(content) and holds_key(path, io.BytesIO(content))
        else:
            size, digest = self.writer.copy(name, mode, place)
            with open(place, "rb") as opened:  # noqa: PTH123
                found = holds_key(path, opened)
        if found and f"{path}@sha256:{digest}" not in self._allow:
            raise Suspicious
        self.known[name] = size, digest

    def take_made(self, name: str, content: bytes) -> None:
        """Take what was made here."""
        self.writer.add(name, 0o644, content, hashlib.sha256(content).hexdigest())

    def take_code(self, made: ByteCode) -> None:
        """Take byte code, whose paths begin with `lib/`."""
        for path, content in made.items():
            folder = path.rpartition("/")[0]
            if folder not in self._folders:
                self._folders.add(folder)
                self.writer.add_folder(folder.partition("/")[2])
            self.take_made(path.partition("/")[2], content)


def _read(place: str, size: int) -> bytes:
    """Return a file's content, by as few calls of the system as there can be."""
    descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        pieces = [os.read(descriptor, size + 1)]
        while pieces[-1] and sum(map(len, pieces)) != size:
            pieces.append(os.read(descriptor, _LARGE))
    finally:
        os.close(descriptor)
    return b"".join(pieces)


def _is_source(path: str) -> bool:
    return path.endswith(".py")


def _first(lib: Path, most: int) -> list[str]:
    """Return the packages of `lib/` with the most code, those of them first that are soon read.

    By the word of RECORDs, which need not be right: nothing but how long all takes depends on what
    is left out, or comes late.
    """
    sizes: defaultdict[str, list[int]] = defaultdict(list)
    for path in lib.glob("*.dist-info/RECORD"):
        for name, size in _CODE.findall(path.read_text(encoding="utf-8", errors="replace")):
            sizes[name].append(int(size))
    # What is tidied there is written anew.
    sizes.pop("bin", None)
    largest = sorted(sizes, key=lambda name: (-sum(sizes[name]), name))[:most]
    found = (name for name in largest if (lib / name).is_dir() and not (lib / name).is_symlink())
    return sorted(found, key=lambda name: len(sizes[name]))


def _packages(listed: Listed) -> Iterable[list[str]]:
    """Return the files of each entry of `lib/`.

    Those with the most code first, or the last one would be compiled while all other processors
    wait.
    """
    packages: defaultdict[str, list[str]] = defaultdict(list)
    code: defaultdict[str, int] = defaultdict(int)
    for path, status in listed.files.items():
        entry = path.split("/", 2)[1]
        packages[entry].append(path)
        if _is_source(path):
            code[entry] += status.st_size
    return (packages[entry] for entry in sorted(packages, key=lambda entry: -code[entry]))
