"""Serve the agent's modules from memory, under the package name `castoff_agent`.

This text stands at the head of the bundle and runs before anything else of the agent.
"""

from __future__ import annotations

import binascii
import json
import sys
import zlib
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

PACKAGE = "castoff_agent"


class MemoryImporter:
    """Finder and loader of one package whose sources are in a dictionary.

    A module's key is its dotted name below the package, and `NAME.__init__` that of a package.
    `get_source` lets `linecache` show the source lines in tracebacks, as for files on disk.
    """

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def add(self, packed: str) -> None:
        """Take more modules in: as `install`, but compressed by zlib, in base64."""
        self._sources.update(json.loads(zlib.decompress(binascii.a2b_base64(packed))))

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load the package or one of its modules; None for all other names."""
        del path, target
        if name != PACKAGE and not name.startswith(PACKAGE + "."):
            return None
        if self._key(name, "__init__") in self._sources:
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        if self._key(name) in self._sources:
            return ModuleSpec(name, self)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's source in it."""
        name = module.__name__
        file = name.replace(".", "/") + ".py"
        code = compile(self.get_source(name), file, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 (this is what a loader does)

    def get_source(self, name: str) -> str:
        """Return a module's text."""
        found = self._sources.get(self._key(name, "__init__"))
        return self._sources[self._key(name)] if found is None else found

    def _key(self, name: str, *rest: str) -> str:
        return ".".join([*name.split(".")[1:], *rest])


def install(packed: str) -> None:
    """Make `import castoff_agent` work.

    Args:
        packed: Text of each module by its name below the package, `__init__` for the package
            itself, as a JSON object.
    """
    sys.meta_path.insert(0, MemoryImporter(json.loads(packed)))
