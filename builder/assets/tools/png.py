"""The `oxipng-pybind` wheel: smaller PNG files of the same pixels."""

from __future__ import annotations

from collections.abc import Mapping

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra

_LEVEL = 2
# Size, depth and colour type may not change what is seen; the first eight bytes of IHDR are
# width and height.
_DIMENSIONS = slice(16, 24)


class Oxipng:
    """Level 2; chunks that decide how the picture looks are kept."""

    def __init__(self) -> None:
        self._module = extra.load("oxipng", "oxipng-pybind")
        self._version = extra.version("oxipng-pybind")

    @property
    def versions(self) -> Mapping[str, str]:
        """`oxipng-pybind` alone."""
        return {"oxipng-pybind": self._version}

    @property
    def options(self) -> str:
        """The level."""
        return f"level={_LEVEL} strip=safe"

    def run(self, source: Input) -> Output:
        """Optimize one picture; see `AssetTool.run`."""
        try:
            result: bytes = self._module.optimize_from_memory(
                source.data, level=_LEVEL, strip="safe"
            )
        except self._module.PngError as error:
            raise AssetError(f"not a PNG picture: {error}", file=source.name) from error
        if result[_DIMENSIONS] != source.data[_DIMENSIONS]:
            raise AssetError("oxipng changed the picture's size", file=source.name)
        return Output(min(result, source.data, key=len))

    def close(self) -> None:
        """Nothing is kept running."""
