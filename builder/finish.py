"""Finish `lib/` in one reading of it: digests, byte code, RECORDs, a look for keys, and a pack.

There are ten thousand files, and to open one takes as long as to hash it. While files are read
here, packages that have been read are compiled elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from castoff.builder.bytecode import ByteCode, Compiler
from castoff.builder.distributions import Distribution
from castoff.builder.normalise import record
from castoff.builder.pack import Writer
from castoff.builder.secret_content import holds_key, may_hold_key
from castoff.builder.secret_names import is_repository
from castoff.builder.tree import Listed, list_tree

# Bytes: what is larger is not held in memory.
_LARGE = 8 * 1024 * 1024


class Suspicious(Exception):
    """There may be a secret: who looks at all files of the release says where and what."""


def finish(
    lib: Path,
    file: BinaryIO,
    *,
    distributions: Sequence[Distribution],
    compiler: Compiler | None,
    allow: Collection[str],
    note: Any,
) -> None:
    """Write a pack of all that is to be in `lib/`, which itself stays as it is.

    Args:
        lib: The tree's folder, tidied.
        file: Where the pack is written to.
        distributions: Those that need a RECORD.
        compiler: Makes byte code, and is ended here; None makes none.
        allow: Harmless files, each as `path@sha256:digest`.
        note: Kept in the pack.

    Raises:
        Suspicious: Some file is not harmless for certain.
        BuildError: A name cannot be released, or the interpreter that compiles fails.
        OSError: A file cannot be read or written.
    """
    listed = list_tree(lib.parent, lib.name)
    links = (link.path for link in listed.links)
    if any(map(is_repository, (*listed.directories, *listed.files, *links))):
        raise Suspicious
    house = _House(lib, listed, Writer(file), frozenset(allow))
    records = {f"{one.info.name}/RECORD": one for one in distributions}
    with compiler or nullcontext():
        for names in _packages(listed):
            sources = [name for name in names if name.endswith(".py")]
            # In the order of a walk, which byte code depends on.
            sources.sort(key=lambda name: name.split("/"))
            for name in sources:
                house.take(name)
            if compiler is not None and sources:
                digests = [house.known[name.partition("/")[2]][1] for name in sources]
                house.take_code(compiler.add(sources, digests) or {})
        # Only now, so that no processor waits for something to compile.
        for path in listed.files:
            name = path.partition("/")[2]
            if name not in house.known and name not in records:
                house.take(path)
        for path, distribution in records.items():
            house.take_made(path, record(lib, distribution, house.known))
        for made in () if compiler is None else compiler.finish():
            house.take_code(made)
    house.writer.finish(note)


class _House:
    """Takes files into the pack.

    Attributes:
        known: Size and SHA-256 of files by path from `lib/` on, without byte code.
    """

    def __init__(self, lib: Path, listed: Listed, writer: Writer, allow: frozenset[str]) -> None:
        self._lib, self._listed, self._allow = lib, listed, allow
        self._folders = set(listed.directories)
        self.writer = writer
        self.known: dict[str, tuple[int, str]] = {}
        for path in listed.directories:
            writer.add_folder(path.partition("/")[2])
        for link in listed.links:
            writer.add_link(link.path.partition("/")[2], link.target)

    def take(self, path: str) -> None:
        """Take a file; its path begins with `lib/` here."""
        status = self._listed.files[path]
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
        if path.endswith(".py"):
            code[entry] += status.st_size
    return (packages[entry] for entry in sorted(packages, key=lambda entry: -code[entry]))
