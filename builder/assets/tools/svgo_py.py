"""The `svgo-py` package: SVGO 4 written again in Python."""

from __future__ import annotations

from collections.abc import Mapping

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra, svg_options


class SvgoPy:
    """One pass of the default plugins, identifiers kept."""

    def __init__(self) -> None:
        # The unrelated package `svgo` installs a module of the same name.
        self._version = extra.version("svgo-py")
        self._module = extra.load("svgo", "svgo-py")
        self._errors = extra.load("svgo.parser", "svgo-py").SvgoParserError

    @property
    def versions(self) -> Mapping[str, str]:
        """`svgo-py` alone."""
        return {"svgo-py": self._version}

    @property
    def options(self) -> str:
        """Its configuration, for pictures with and without symbols."""
        return repr((svg_options.config(""), svg_options.config("<symbol")))

    def run(self, source: Input) -> Output:
        """Optimize one picture; see `AssetTool.run`."""
        text = decode(source.data, source.name)
        drew = svg_options.check(text, source.name)
        if svg_options.is_left_alone(text):
            return Output(source.data)
        try:
            result: str = self._module.optimize(text, svg_options.config(text))["data"]
        except self._errors as error:
            raise AssetError(
                error.reason, file=source.name, line=error.line, column=error.column
            ) from error
        svg_options.check_result(result, source.name, drew=drew, tool="svgo-py")
        return Output(result.encode())

    def close(self) -> None:
        """Nothing is kept running."""
