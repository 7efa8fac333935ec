"""The `rjsmin` package: white space and comments go, names stay."""

from __future__ import annotations

from collections.abc import Mapping

from castoff.builder.assets import guard
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra
from castoff.builder.assets.tools.js_syntax import JsSyntax


class Rjsmin:
    """It would pass broken code on, so the code is checked first."""

    def __init__(self, syntax: JsSyntax) -> None:
        self._syntax = syntax
        self._module = extra.load("rjsmin", "rjsmin")
        self._version = extra.version("rjsmin")

    @property
    def versions(self) -> Mapping[str, str]:
        """`rjsmin` alone: the checkers add nothing to its output."""
        return {"rjsmin": self._version}

    @property
    def options(self) -> str:
        """Licences (`/*! … */`) are kept."""
        return "keep_bang_comments"

    def run(self, source: Input) -> Output:
        """Minify one script; see `AssetTool.run`."""
        self._syntax.check(source)
        text = decode(source.data, source.name)
        result: str = self._module.jsmin(text, keep_bang_comments=True)
        guard.check(source.name, text, result, tool="rjsmin", line_comments=True)
        return Output(result.encode())

    def close(self) -> None:
        """Nothing of its own is kept running."""
