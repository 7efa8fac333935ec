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

    `get_source` lets `linecache` show the source lines in tracebacks, as for files on disk.
    """

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load the package or one of its modules; None for all other names."""
        del path, target
        if name == PACKAGE:
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        package, _, module = name.rpartition(".")
        if package == PACKAGE and module in self._sources:
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
        return self._sources["__init__" if name == PACKAGE else name.rpartition(".")[2]]


def install(packed: str) -> None:
    """Make `import castoff_agent` work.

    Args:
        packed: Text of each module by its bare name, `__init__` for the package itself, as a
            JSON object; compressed by zlib, since a third of the bytes saves round trips at the
            start of a connection; in base64.
    """
    sources = json.loads(zlib.decompress(binascii.a2b_base64(packed)))
    sys.meta_path.insert(0, MemoryImporter(sources))
