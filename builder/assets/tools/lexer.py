"""Imports of a JavaScript file, by `es-module-lexer` in V8."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from castoff.builder.assets import text as places
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import npm, v8

Kind = Literal["static", "dynamic", "meta"]

_PROGRAM_HEAD = "var exports = {}; var module = {exports};"
# Its errors quote the whole source, so they are caught before they leave V8.
_PROGRAM_TAIL = """
var lex = source => {
  try {
    const [imports, names] = exports.parse(source);
    return {exports: names.length, imports: imports.map(
      i => [i.d, i.n === undefined ? null : i.n, i.s, i.e, i.ss, i.se])};
  } catch (error) { return {at: error.idx === undefined ? 0 : error.idx}; }
};
var compiles = source => {
  try { new Function(source); return true; } catch (error) { return false; }
};
"""
_PACKAGE = "es-module-lexer"
_META = -2
_STATIC = -1


@dataclass(frozen=True)
class Import:
    """One `import` in the code, in character offsets.

    Attributes:
        kind: `static` (`export … from` too), `dynamic`, or `meta` for `import.meta`.
        specifier: The decoded string, or None where it is no plain string.
        start: Where the specifier starts: inside its quotes for `static`, at them for `dynamic`.
        end: Where it ends.
        statement_start: Where `import` or `export` stands.
        statement_end: Where the statement or call ends.
    """

    kind: Kind
    specifier: str | None
    start: int
    end: int
    statement_start: int
    statement_end: int


class Lexer:
    """Started at its first use, since many projects have no modules."""

    def __init__(self, cache: Path, env: Mapping[str, str]) -> None:
        self._cache = cache
        self._env = env
        self._lock = threading.Lock()
        self._running: v8.V8 | None = None

    @property
    def versions(self) -> Mapping[str, str]:
        """es-module-lexer, and the V8 that runs it."""
        return {_PACKAGE: npm.pin(_PACKAGE).version, "mini-racer": v8.version()}

    def imports(self, text: str, name: str) -> list[Import]:
        """Return the imports of a script or module.

        Raises:
            AssetError: It cannot be read, with the place.
        """
        found = self._lex(text, name)
        offsets = _Offsets(text)
        return [_import(row, offsets) for row in found["imports"]]

    def is_module(self, text: str, name: str) -> bool:
        """Say whether a text can only be a module: it imports, exports or asks for its own place.

        Raises:
            AssetError: It cannot be read, with the place.
        """
        if "import" not in text and "export" not in text:
            return False
        found = self._lex(text, name)
        return found["exports"] > 0 or any(row[0] in (_META, _STATIC) for row in found["imports"])

    def _lex(self, text: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._v8().call("lex", text)
        if "at" in found:
            offsets = _Offsets(text)
            # Where something stays open to the end, the lexer gives no place.
            at = offsets.character(found["at"]) or len(text)
            raise AssetError(
                "this is not JavaScript that can be read",
                file=name,
                line=places.line_of(text, at),
                column=places.column_of(text, at),
            )
        return found

    def compiles(self, text: str) -> bool:
        """Say whether V8 takes the text as the body of a function, without running it."""
        return bool(self._v8().call("compiles", text))

    def close(self) -> None:
        """Free V8."""
        if self._running is not None:
            self._running.close()

    def _v8(self) -> v8.V8:
        with self._lock:
            if self._running is None:
                program = npm.fetch(npm.pin(_PACKAGE), self._cache, self._env)
                self._running = v8.V8(_PROGRAM_HEAD + program + _PROGRAM_TAIL)
            return self._running


class _Offsets:
    """From UTF-16 units, which JavaScript counts, to characters."""

    def __init__(self, text: str) -> None:
        self._map: list[int] | None = None
        if any(character > "\uffff" for character in text):
            self._map = []
            for index, character in enumerate(text):
                self._map += [index] * (2 if character > "\uffff" else 1)
            self._map.append(len(text))

    def character(self, unit: int) -> int:
        return unit if self._map is None else self._map[unit]


def _import(row: list[int | str | None], offsets: _Offsets) -> Import:
    dynamic, specifier, *numbers = row
    kind: Kind = "meta" if dynamic == _META else "static" if dynamic == _STATIC else "dynamic"
    start, end, first, last = (offsets.character(int(n or 0)) for n in numbers)
    return Import(kind, None if specifier is None else str(specifier), start, end, first, last)
