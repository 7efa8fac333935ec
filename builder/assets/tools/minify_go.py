"""The `minify-go` wheel (Go minifiers by tdewolff, MIT): JavaScript, CSS and HTML."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, Literal

from castoff.builder.assets import guard
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra

Kind = Literal["application/javascript", "text/css", "text/html"]

# The library's configuration is global, so there is one for all three kinds. Attributes that
# repeat a default stay: stylesheets select by them (`input[type=text]`).
_CONFIG: dict[str, bool] = {
    "html-keep-default-attr-vals": True,
    "html-keep-document-tags": True,
    "html-keep-end-tags": True,
    "html-keep-quotes": True,
}
_CONFIGURE = threading.Lock()
_configured: list[Any] = []
# The library writes into a buffer of the input's size; some outputs are a few bytes longer.
_ROOM = "\n" * 16
_PLACE = re.compile(r" on line (\d+) and column (\d+)")


class MinifyGo:
    """One kind of text, minified."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._module = extra.load("minify", "minify-go")
        self._version = extra.version("minify-go")
        _configure(self._module)

    @property
    def versions(self) -> Mapping[str, str]:
        """`minify-go` alone."""
        return {"minify-go": self._version}

    @property
    def options(self) -> str:
        """The kind of text and the configuration."""
        return f"{self._kind} {sorted(_CONFIG)}"

    def run(self, source: Input) -> Output:
        """Minify one text; see `AssetTool.run`."""
        text = decode(source.data, source.name)
        try:
            result: str = self._module.string(self._kind, text + _ROOM).strip()
        except self._module.MinifyError as error:
            raise _translate(str(error), source.name, text) from error
        guard.check(
            source.name,
            text,
            result,
            tool="minify-go",
            line_comments=self._kind == "application/javascript",
        )
        return Output(result.encode())

    def close(self) -> None:
        """Nothing is kept running."""


def _configure(module: Any) -> None:
    """Configure the library once: it has no minifiers for a moment, whoever uses it meanwhile."""
    with _CONFIGURE:
        if module not in _configured:
            module.config(_CONFIG)
            _configured.append(module)


def _translate(message: str, name: str, text: str) -> AssetError:
    first = message.splitlines()[0]
    place = _PLACE.search(first)
    if place:
        # The length of the padding is no part of the user's file.
        line = min(int(place[1]), text.count("\n") + 1)
        return AssetError(_PLACE.sub("", first), file=name, line=line, column=int(place[2]))
    lines = text.rstrip().split("\n")
    return AssetError(
        f"minify-go: unexpected {first or 'end'}: something is left open",
        file=name,
        line=len(lines),
        column=len(lines[-1]) + 1,
    )
