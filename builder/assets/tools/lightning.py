"""The `lightningcss` wheel (Rust, Parcel's CSS tool): minified CSS for given browsers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from castoff.builder.assets import guard
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra

# Its lines count from 0, its columns from 1.
_ERROR = re.compile(
    r"^(?:Parsing stylesheet failed: )?(.*?)(?: at (?:.*):(\d+):(\d+))?$", re.DOTALL
)


class LightningCss:
    """Strict: error recovery, which drops rules, is never used."""

    def __init__(self, browsers: tuple[str, ...]) -> None:
        self._browsers = browsers
        self._module = extra.load("lightningcss", "lightningcss")
        self._version = extra.version("lightningcss")

    @property
    def versions(self) -> Mapping[str, str]:
        """`lightningcss` alone."""
        return {"lightningcss": self._version}

    @property
    def options(self) -> str:
        """The browsers."""
        return repr(self._browsers)

    def run(self, source: Input) -> Output:
        """Minify one stylesheet; see `AssetTool.run`."""
        text = decode(source.data, source.name)
        try:
            result: str = self._module.process_stylesheet(
                text,
                filename=source.name,
                parser_flags=self._module.calc_parser_flags(nesting=True),
                browsers_list=list(self._browsers),
                minify=True,
            )
        except ValueError as error:
            raise _translate(str(error), source.name) from error
        guard.check(source.name, text, result, tool="lightningcss")
        return Output(result.encode())

    def close(self) -> None:
        """Nothing is kept running."""


def _translate(message: str, name: str) -> AssetError:
    match = _ERROR.match(message)
    if match and match[2]:
        return AssetError(match[1], file=name, line=int(match[2]) + 1, column=int(match[3]))
    return AssetError(message, file=name)
