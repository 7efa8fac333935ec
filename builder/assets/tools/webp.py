"""Smaller WebP files of the same pixels, by the libwebp that is in the `pillow` wheel."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra

_PACKAGE = "pillow"
# Slowest and smallest of seven; the second is effort too where nothing is lost.
_METHOD, _EFFORT = 6, 75
_ORIENTATION = 0x0112
_UPRIGHT = 1


class Webp:
    """Still pictures that are lossless already; all else could only lose.

    The colour profile is kept, and other metadata where they turn the picture.
    """

    def __init__(self) -> None:
        self._image = extra.load("PIL.Image", _PACKAGE)
        library = extra.load("PIL.features", _PACKAGE).version("webp")
        if library is None:
            raise AssetError(
                "The package pillow was built without WebP",
                hint='Install its wheel, or set webp = "none" under [apps.NAME.assets].',
            )
        self._versions = {_PACKAGE: extra.version(_PACKAGE), "libwebp": str(library)}

    @property
    def versions(self) -> Mapping[str, str]:
        """The package, and the library in it."""
        return self._versions

    @property
    def options(self) -> str:
        """How much effort is made."""
        return f"method={_METHOD} effort={_EFFORT}"

    def run(self, source: Input) -> Output:
        """Optimize one picture; see `AssetTool.run`."""
        kinds = list(_chunks(source.data))
        if source.data[:4] != b"RIFF" or source.data[8:12] != b"WEBP" or not kinds:
            raise AssetError("not a WebP picture", file=source.name)
        if b"VP8L" not in kinds or b"ANIM" in kinds:
            return Output(source.data)
        try:
            with self._image.open(io.BytesIO(source.data)) as picture:
                turned = picture.getexif().get(_ORIENTATION, _UPRIGHT) != _UPRIGHT
                made = io.BytesIO()
                picture.save(
                    made,
                    "WEBP",
                    lossless=True,
                    exact=True,
                    method=_METHOD,
                    quality=_EFFORT,
                    icc_profile=picture.info.get("icc_profile", b""),
                    exif=picture.info.get("exif", b"") if turned else b"",
                )
                before = picture.convert("RGBA").tobytes()
            result = made.getvalue()
            with self._image.open(io.BytesIO(result)) as picture:
                same = picture.convert("RGBA").tobytes() == before
        except (OSError, ValueError, SyntaxError) as error:
            raise AssetError(f"not a WebP picture: {error}", file=source.name) from error
        if not same:
            raise AssetError("libwebp changed the picture", file=source.name)
        return Output(min(result, source.data, key=len))

    def close(self) -> None:
        """Nothing is kept running."""


def _chunks(data: bytes) -> Iterator[bytes]:
    """Yield the kinds of a RIFF file's chunks (RFC 9649, section 2.3)."""
    position = 12
    while position + 8 <= len(data):
        yield data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        position += 8 + size + size % 2
