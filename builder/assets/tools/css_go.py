"""`minify-go` for CSS, behind a check of the tokens, since it passes broken ones on."""

from __future__ import annotations

from collections.abc import Mapping

from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import css_syntax, extra
from castoff.builder.assets.tools.minify_go import MinifyGo


class GoCss:
    """CSS that browsers take, sloppy or not, minified with little risk."""

    def __init__(self) -> None:
        self._go = MinifyGo("text/css")
        self._parser = extra.version("tinycss2")

    @property
    def versions(self) -> Mapping[str, str]:
        """`minify-go`, and `tinycss2` that may refuse the input."""
        return {**self._go.versions, "tinycss2": self._parser}

    @property
    def options(self) -> str:
        """Those of `minify-go`."""
        return self._go.options

    def run(self, source: Input) -> Output:
        """Minify one stylesheet; see `AssetTool.run`."""
        css_syntax.check(decode(source.data, source.name), source.name)
        return self._go.run(source)

    def close(self) -> None:
        """Nothing is kept running."""
