"""Serve the agent's modules from memory, under the package name `castoff_agent`.

This text stands at the head of the bundle and runs before anything else of the agent.
"""

from __future__ import annotations

import json
import marshal
import sys
import zlib
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import CodeType, ModuleType

PACKAGE = "castoff_agent"


class MemoryImporter:
    """Finder and loader of one package whose modules are in memory, as text or as code.

    A module's key is its dotted name below the package, and `NAME.__init__` that of a package.
    `get_source` lets `linecache` show the source lines in tracebacks, as for files on disk.

    Attributes:
        made: The code that was compiled here, by the key of its module.
    """

    def __init__(
        self, sources: dict[str, str], codes: Mapping[str, bytes], text: Callable[[], bytes] | None
    ) -> None:
        """Take the modules.

        Args:
            sources: Text of each, by its key.
            codes: Marshalled code of some or all, by its key.
            text: Returns the bundle that holds the text of those that have code, if it is there.
        """
        self.made: dict[str, CodeType] = {}
        self._sources = sources
        self._codes = dict(codes)
        self._text = text

    def add(self, packed: bytes, codes: Mapping[str, bytes]) -> None:
        """Take more modules in: as `install`, but compressed by zlib, with the code of some."""
        self._sources.update(json.loads(zlib.decompress(packed)))
        self._codes.update(codes)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load the package or one of its modules; None for all other names."""
        del path, target
        if name != PACKAGE and not name.startswith(PACKAGE + "."):
            return None
        if self._has(self._key(name, "__init__")):
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        if self._has(self._key(name)):
            return ModuleSpec(name, self)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make an ordinary module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's code in it."""
        exec(self.code(self._found(module.__name__)), module.__dict__)  # noqa: S102 (that is a loader)

    def code(self, key: str) -> CodeType:
        """Return the code of a module, compiled if nobody has done so yet."""
        if key in self._codes:
            kept: CodeType = marshal.loads(self._codes[key])  # noqa: S302 (the loader checked it)
            return kept
        if key not in self.made:
            file = "/".join([PACKAGE, *key.split(".")]) + ".py"
            self.made[key] = compile(self._source(key), file, "exec", dont_inherit=True)
        return self.made[key]

    def names(self) -> list[str]:
        """Return the keys of all modules whose text is here."""
        return sorted(self._sources)

    def get_source(self, name: str) -> str:
        """Return a module's text.

        Raises:
            ImportError: It was run from its code, and the text of that is not here.
        """
        return self._source(self._found(name))

    def _source(self, key: str) -> str:
        if key not in self._sources and self._text is not None:
            bundle, self._text = self._text(), None
            self._sources.update(_unpack(bundle) if bundle else {})
        if key not in self._sources:
            raise ImportError(f"no text of {key}")
        return self._sources[key]

    def _has(self, key: str) -> bool:
        return key in self._codes or key in self._sources

    def _found(self, name: str) -> str:
        package = self._key(name, "__init__")
        return package if self._has(package) else self._key(name)

    def _key(self, name: str, *rest: str) -> str:
        return ".".join([*name.split(".")[1:], *rest])


def install(packed: str) -> None:
    """Make `import castoff_agent` work.

    Args:
        packed: Text of each module by its name below the package, `__init__` for the package
            itself, as a JSON object.
    """
    sys.meta_path.insert(0, MemoryImporter(json.loads(packed), {}, None))


def start(codes: Mapping[str, bytes], text: Callable[[], bytes]) -> None:
    """Run the agent from its code, marshalled; `text` returns the bundle, for tracebacks."""
    sys.meta_path.insert(0, MemoryImporter({}, codes, text))
    from castoff_agent.main import serve  # type: ignore[import-not-found]

    serve()


def _unpack(bundle: bytes) -> dict[str, str]:
    """Return the modules that stand in the bundle, where they are handed to `install`."""
    _, _, call = zlib.decompress(bundle).decode().partition("\ninstall(")
    packed, _, _ = call.partition(")\n")
    sources: dict[str, str] = json.loads(json.loads(packed))
    return sources
