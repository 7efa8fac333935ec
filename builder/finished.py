"""Dependencies as a finished part of the tree, which a later build need not even write to disk.

Eighteen thousand files take seconds to write, to look at and to remove, whatever is in them. Where
nothing but the lock decides what is in `lib/`, all of it (installed, normalised, with byte code,
and searched for secrets) is kept as one file of the cache. A build that finds it there takes
digests from its index, and the archive's members from the cache; only what describes the
distributions is written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.distributions import READ
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

    def __init__(self, cache: Cache, recipe: Build, workshop: Workshop) -> None:
        """Look for nothing yet.

        Args:
            cache: Where it is kept.
            recipe: What castoff.toml says of the build.
            workshop: For what and by what is built.
        """
        self._cache = cache
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
        pack = self._cache.open_tree(_STAGE, self._key)
        if pack is None:
            return False
        pack.extract(lib, _describes)
        self.layer = Layer.of(pack, _UNDER)
        self.pruned = Pruned.model_validate(pack.note)
        return True

    def keep(self, lib: Path, pruned: Pruned, digests: Mapping[str, str]) -> None:
        """Keep `lib`, in which nothing will change any more, unless it was found.

        Args:
            lib: The tree's folder.
            pruned: What was left out of it.
            digests: SHA-256 of the tree's files, by path from its top.
        """
        if self._key and self.layer is None and lib.is_dir():
            known = {
                path.removeprefix(f"{_UNDER}/"): digest
                for path, digest in digests.items()
                if path.startswith(f"{_UNDER}/")
            }
            note = pruned.model_dump()
            self._cache.write_tree(_STAGE, self._key, lib, note=note, digests=known)


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
