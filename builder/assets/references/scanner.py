"""The references of a file as a result that is kept: tokenizing is most of an unchanged build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property

from castoff.builder.assets.cache import Cache
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.references.scan import scan, text_of
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra
from castoff.builder.assets.tools.lexer import Lexer


class Scanner:
    """Reads files, each once; as a tool, it makes a line of JSON for each reference."""

    options = ""

    def __init__(self, lexer: Lexer, results: Cache) -> None:
        """Start nothing.

        Args:
            lexer: For JavaScript.
            results: Where what was found is kept.
        """
        self._lexer, self._results = lexer, results

    def references(self, name: str, data: bytes) -> tuple[str, list[Reference]]:
        """Return what `scan` does.

        Raises:
            AssetError: The file is not what its suffix says.
        """
        text = text_of(name, data)
        if text is None:
            return "", []
        rows = self._results.run(self, Input(name, data)).data.splitlines()
        return text, [_reference(row) for row in rows]

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Those of what reads CSS and JavaScript, as far as that is there."""
        try:
            return {"tinycss2": extra.version("tinycss2"), **self._lexer.versions}
        except AssetError:
            # Told where it is needed.
            return {}

    def run(self, source: Input) -> Output:
        """Read one file.

        Raises:
            AssetError: The file is not what its suffix says.
        """
        _, found = scan(source.name, source.data, self._lexer)
        return Output(b"".join(json.dumps(_row(one)).encode() + b"\n" for one in found))

    def close(self) -> None:
        """Nothing is kept running."""


def _row(one: Reference) -> list[object]:
    return [one.start, one.end, one.url, one.spelling, one.need, one.integrity, one.base]


def _reference(row: bytes) -> Reference:
    start, end, url, spelling, *rest = json.loads(row)
    return Reference(start, end, url, tuple(spelling), *rest)
