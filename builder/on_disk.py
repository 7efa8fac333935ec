"""Dependencies on the disk, for code of the project's that runs with them while a release is built.

What was installed is released, not what such code makes of it: whether a cache has it or not. The
archive is made from the cache's record, so that files on the disk serve this code alone, and can be
the same for all builds: a sealed tree of the cache, to which `lib` is a link for so long. What was
run with a tree that turns out to be changed does not count. Code that changes its dependencies, or
fails when it may not, is run again with a copy of its own; and at once the next time.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.layer import Layer
from castoff.builder.rows import FOLDER
from castoff.builder.sealed_tree import Change, SealedTree
from castoff.builder.wheel import Workshop

_STAGE = "trees"
_UNDER = "lib"
_RULES = ("layer.py", "seal.py", "sealed_tree.py")
# Bytes that a file system gives out at a time.
_BLOCK = 4096
_SLOW = (
    "it changes files of the dependencies, or fails where it may not, so that every build has to "
    "write all of them to disk for it: let it write elsewhere"
)
_Result = TypeVar("_Result", bound=object)


class OnDisk:
    """The dependencies of one release."""

    def __init__(
        self, tree: Path, workshop: Workshop, cache: Cache, *, layer: Layer | None, key: str | None
    ) -> None:
        """Write nothing yet.

        Args:
            tree: The release's tree.
            workshop: Whose folder is used for what is out of the way.
            cache: Where they may lie already.
            layer: What fills `lib/`, where it is not in the tree's folder.
            key: Of all that decides what is in `lib/`; None if more than the lock does.
        """
        self._tree, self._workshop, self._cache, self._layer = tree, workshop, cache, layer
        facts = {"dependencies": key, "rules": own_code(*_RULES)}
        self._key = key_of(facts)
        self._changes = key_of({**facts, "changed by": "its own code"})
        self._failed = key_of({**facts, "failed": "once"})
        self._alone = key is not None

    def run(
        self,
        work: Callable[[], _Result],
        *,
        failure: type[Exception],
        warn: Callable[[str], None],
    ) -> _Result:
        """Do something with `lib/` on the disk.

        Args:
            work: Runs code of the project's; may be called again, if a call does not count.
            failure: What it raises if that code fails, perhaps for want of a right.
            warn: Told of what makes builds slow.

        Raises:
            Damaged: The cache's record of them is not what it was.
            OSError: They cannot be written.
            Exception: As `work` does.
        """
        layer = self._layer
        if layer is None:
            with self._copy() if self._alone else nullcontext():
                return work()
        if self._cache.read(_STAGE, self._changes) is not None:
            warn(_SLOW)
            return self._apart(layer, work)
        change = Change.NEVER
        # Once more if it was damaged, and so made again.
        for _ in range(2):
            shared = self._shared(layer)
            if shared is None:
                return self._apart(layer, work)
            with closing(shared), self._linked(shared.folder):
                try:
                    done = work()
                except failure:
                    done = None
                change = shared.change()
                if change is not Change.NEVER:
                    shared.give_up()
                elif done is not None:
                    return done
            if change is not Change.BEFORE:
                break
        done = self._apart(layer, work)
        warn(_SLOW)
        # What failed once may have done so for a reason that has gone since, and must not count for
        # all builds to come.
        again = self._cache.read(_STAGE, self._failed) is not None
        sure = change is not Change.NEVER or again
        self._cache.write(_STAGE, self._changes if sure else self._failed, b"")
        return done

    def _shared(self, layer: Layer) -> SealedTree | None:
        rows = layer.rows
        found = self._cache.take_tree(_STAGE, self._key, rows.paths)
        if found is not None:
            return found
        size = sum(-(-size // _BLOCK) for size in rows.sizes) + rows.kinds.count(FOLDER)
        return self._cache.make_tree(
            _STAGE,
            self._key,
            rows.paths,
            size=size * _BLOCK,
            fill=lambda folder: layer.lay_out(folder, read_only=True),
        )

    @contextmanager
    def _linked(self, folder: Path) -> Iterator[None]:
        lib = self._tree / _UNDER
        lib.symlink_to(folder / _UNDER)
        try:
            yield
        finally:
            lib.unlink()

    def _apart(self, layer: Layer, work: Callable[[], _Result]) -> _Result:
        """Work with files that are there for this alone."""
        layer.lay_out(self._tree)
        done = work()
        self._dismiss()
        return done

    @contextmanager
    def _copy(self) -> Iterator[None]:
        """Put a copy in the place of what was installed, which may be links into uv's cache."""
        lib = self._tree / _UNDER
        if not lib.is_dir():
            yield
            return
        kept = lib.rename(self._workshop.folder / "kept")
        shutil.copytree(kept, lib, symlinks=True)
        yield
        self._dismiss()
        kept.rename(lib)

    def _dismiss(self) -> None:
        lib = self._tree / _UNDER
        self._workshop.removal.begin(lib.rename(self._workshop.folder / "laid-out"))
