"""The `mozjpeg-lossless-optimization` wheel: smaller JPEG files of the same pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra

_PACKAGE = "mozjpeg-lossless-optimization"
_APP1 = 0xE1
_START_OF_SCAN = 0xDA
_ORIENTATION = 0x0112
_UPRIGHT = 1


class Mozjpeg:
    """Colour profile kept; other metadata only where it turns the picture."""

    def __init__(self) -> None:
        self._module = extra.load("mozjpeg_lossless_optimization", _PACKAGE)
        self._version = extra.version(_PACKAGE)

    @property
    def versions(self) -> Mapping[str, str]:
        """The one package."""
        return {_PACKAGE: self._version}

    @property
    def options(self) -> str:
        """What is kept."""
        return "icc, all if turned"

    def run(self, source: Input) -> Output:
        """Optimize one picture; see `AssetTool.run`."""
        markers = self._module.COPY_MARKERS
        keep = markers.ALL if _is_turned(source.data) else markers.ICC
        try:
            result: bytes = self._module.optimize(source.data, copy=keep)
        except ValueError as error:
            raise AssetError("not a JPEG picture", file=source.name) from error
        return Output(min(result, source.data, key=len))

    def close(self) -> None:
        """Nothing is kept running."""


def _is_turned(data: bytes) -> bool:
    """Say whether browsers turn or mirror the picture (Exif 2.3, tag 0x0112)."""
    for marker, body in _segments(data):
        if marker == _APP1 and body.startswith(b"Exif\0\0"):
            return _orientation(body[6:]) != _UPRIGHT
    return False


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:  # noqa: PLR2004 - JPEG marker
        marker = data[position + 1]
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == _START_OF_SCAN:
            return
        yield marker, data[position + 4 : position + 2 + size]
        position += 2 + size


def _orientation(tiff: bytes) -> int:
    order = {b"II": "little", b"MM": "big"}.get(tiff[:2])
    if order is None:
        return _UPRIGHT

    def number(start: int, size: int) -> int:
        return int.from_bytes(tiff[start : start + size], "little" if order == "little" else "big")

    directory = number(4, 4)
    for entry in range(number(directory, 2)):
        start = directory + 2 + 12 * entry
        if number(start, 2) == _ORIENTATION:
            return number(start + 8, 2)
    return _UPRIGHT
