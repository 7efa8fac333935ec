"""Compile what an installer has unpacked while it still unpacks the rest.

uv leaves a processor idle for half of its time. Each wheel lies whole in a folder of its cache
before any is linked into `lib/`, with the inodes that it will have there. That is nowhere promised,
and nothing rests on it: what was compiled counts where the very same files, by inode, size and
time, are found in `lib/`; else they are compiled there, as they are where uv's cache looks
otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from types import TracebackType

from castoff.builder.bytecode import Compiler, identity
from castoff.builder.errors import BuildError

# Seconds.
_PAUSE = 0.02
# Bytes of code: what has less does not pay.
_LEAST = 400_000
# What is moved to other places when it is installed, or written anew there.
_MOVED = (".dist-info", ".data")
_TIDIED = "bin"


class Ahead:
    """Watches uv's cache while the block runs."""

    def __init__(self, compiler: Compiler, uv_cache: Path, under: str) -> None:
        """Start nothing yet.

        Args:
            compiler: Is told what to compile.
            uv_cache: uv's.
            under: The folder of the tree that all will be installed in.
        """
        self._compiler, self._cache, self._under = compiler, uv_cache, under
        self._seen = set(self._folders())
        self._over = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Ahead:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Look at nothing more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(_PAUSE):
            for folder in self._folders():
                if folder not in self._seen and not self._over.is_set():
                    self._seen.add(folder)
                    # It may be gone again, or the compiler not start: which is told later.
                    with suppress(OSError, BuildError):
                        self._compile(folder)

    def _folders(self) -> Iterator[str]:
        """Yield the folders of wheels that have been unpacked."""
        for archive in self._cache.glob("archive-v*"):
            with suppress(OSError), os.scandir(archive) as found:
                yield from (entry.path for entry in found if entry.is_dir(follow_symlinks=False))

    def _compile(self, folder: str) -> None:
        with os.scandir(folder) as entries:
            packages = [
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False)
                and not entry.name.endswith(_MOVED)
                and entry.name != _TIDIED
            ]
        for package in packages:
            found = dict(_sources(folder, package))
            if sum(status.st_size for status in found.values()) >= _LEAST:
                # In the order of a walk.
                names = sorted(found, key=lambda name: name.split("/"))
                self._compiler.begin(
                    [f"{self._under}/{name}" for name in names],
                    identity(found[name] for name in names),
                    folder=folder,
                    under=self._under,
                )


def _sources(folder: str, package: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [package]
    while pending:
        inside = pending.pop()
        with os.scandir(f"{folder}/{inside}") as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    # What a wheel brought of byte code goes when it is tidied.
                    if entry.name != "__pycache__":
                        pending.append(name)
                elif name.endswith(".py") and entry.is_file(follow_symlinks=False):
                    yield name, entry.stat(follow_symlinks=False)
