"""Smaller GIF files of the same pixels, by the encoder in the `pillow` wheel."""

from __future__ import annotations

import io
from collections.abc import Mapping

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra

_PACKAGE = "pillow"
_MAGIC = (b"GIF87a", b"GIF89a")


class Gif:
    """Still pictures: those that move stay as they are, as do those that are as small already.

    A palette loses the colours that no pixel has, and lines are written in their order: a picture
    that is interlaced is larger. Comments and what programs have added go.
    """

    def __init__(self) -> None:
        self._image = extra.load("PIL.Image", _PACKAGE)
        self._versions = {_PACKAGE: extra.version(_PACKAGE)}

    @property
    def versions(self) -> Mapping[str, str]:
        """The package."""
        return self._versions

    @property
    def options(self) -> str:
        """What it is told."""
        return "optimize"

    def run(self, source: Input) -> Output:
        """Optimize one picture; see `AssetTool.run`."""
        if source.data[:6] not in _MAGIC:
            raise AssetError("not a GIF picture", file=source.name)
        try:
            with self._image.open(io.BytesIO(source.data)) as picture:
                if picture.n_frames > 1:
                    return Output(source.data)
                made = io.BytesIO()
                picture.save(made, "GIF", optimize=True, interlace=0, comment=b"")
                before = picture.convert("RGBA").tobytes()
            result = made.getvalue()
            with self._image.open(io.BytesIO(result)) as picture:
                same = picture.convert("RGBA").tobytes() == before
        except (OSError, ValueError, SyntaxError) as error:
            raise AssetError(f"not a GIF picture: {error}", file=source.name) from error
        return Output(min(result, source.data, key=len) if same else source.data)

    def close(self) -> None:
        """Nothing is kept running."""
