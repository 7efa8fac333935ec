"""Dependencies as a finished part of the tree, which a later build need not even write to disk.

Eighteen thousand files take seconds to write, to look at and to remove, whatever is in them. Where
nothing but the lock decides what is in `lib/`, all of it (installed, normalised, with byte code,
and searched for secrets) is kept as one file of the cache. A build that finds it there takes
digests from its index, and the archive's members from the cache; only what describes the
distributions is written out. The build that makes it goes on from there as one that found it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from castoff.builder.bytecode import Compiler
from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.distributions import READ, Distribution
from castoff.builder.finish import Suspicious, finish
from castoff.builder.tree import Layer
from castoff.builder.wheel import Workshop
from castoff.config.model import Build
from castoff.store.manifest import Pruned

_STAGE = "dependencies"
_UNDER = "lib"
# What is finished was made and looked at by these.
_RULES = (
    "bytecode_driver.py",
    "credentials.py",
    "finish.py",
    "globs.py",
    "normalise.py",
    "prune.py",
    "secrets.py",
)


class Finished:
    """What an earlier build finished of `lib/`, or what this one will have.

    Attributes:
        layer: What was found; None if there is nothing.
        pruned: What had been left out of it.
    """

    def __init__(self, cache: Cache, recipe: Build, workshop: Workshop, *, workers: int) -> None:
        """Look for nothing yet.

        Args:
            cache: Where it is kept.
            recipe: What castoff.toml says of the build.
            workshop: For what and by what is built.
            workers: How many packages are compiled at once.
        """
        self._cache, self._workshop, self._workers = cache, workshop, workers
        self._allow = recipe.allow_secrets
        self._facts = _facts(recipe, workshop)
        self._key = ""
        self.layer: Layer | None = None
        self.pruned = Pruned()

    def take(self, dependencies: str, lib: Path) -> bool:
        """Find what is finished; write to `lib` what describes distributions, and their scripts.

        Args:
            dependencies: Key of all that decides what is installed.
            lib: The tree's folder, still missing.
        """
        self._key = key_of({**self._facts, "dependencies": dependencies})
        return self._take(lib)

    def make(self, lib: Path, distributions: Sequence[Distribution], pruned: Pruned) -> None:
        """Finish what was installed, where it was looked for; then it is as if it had been found.

        Where it cannot be kept, or may hold secrets, `lib` stays as it is.

        Args:
            lib: The tree's folder, tidied.
            distributions: Those that need a RECORD.
            pruned: What was left out.

        Raises:
            BuildError: A name cannot be released, or the interpreter that compiles fails.
        """
        if not self._key or not lib.is_dir():
            return

        def fill(file: BinaryIO) -> None:
            finish(
                lib,
                file,
                distributions=distributions,
                compiler=self._compiler(lib.parent),
                allow=self._allow,
                note=pruned.model_dump(),
            )

        with suppress(Suspicious):
            self._cache.write_pack(_STAGE, self._key, fill)
        installed = self._workshop.folder / "installed"
        lib.rename(installed)
        if self._take(lib):
            self._workshop.removal.begin(installed)
        else:
            installed.rename(lib)

    def _take(self, lib: Path) -> bool:
        pack = self._cache.open_tree(_STAGE, self._key)
        if pack is None:
            return False
        pack.extract(lib, _describes)
        self.layer = Layer.of(pack, _UNDER)
        self.pruned = Pruned.model_validate(pack.note)
        return True

    def _compiler(self, tree: Path) -> Compiler | None:
        if not self._workshop.destination.compiles:
            return None
        return Compiler(
            tree,
            interpreter=self._workshop.interpreter,
            env=self._workshop.env,
            workers=self._workers,
            cache=self._cache,
        )


def _facts(recipe: Build, workshop: Workshop) -> Mapping[str, Any]:
    interpreter = workshop.interpreter
    return {
        "castoff": version("castoff"),
        "rules": own_code(*_RULES),
        "detect-secrets": version("detect-secrets"),
        "python": [
            interpreter.markers["implementation_name"],
            interpreter.full_version,
            interpreter.free_threaded,
        ],
        "compiles": workshop.destination.compiles,
        "prune": list(recipe.prune),
        # A file that was allowed may be so no more.
        "allow_secrets": list(recipe.allow_secrets),
    }


def _describes(path: str) -> bool:
    top, _, rest = path.partition("/")
    return top == "bin" or (top.endswith(".dist-info") and rest in READ)
