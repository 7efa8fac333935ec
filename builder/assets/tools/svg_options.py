"""What both SVGO ports are told, and what may not be touched at all."""

from __future__ import annotations

from typing import Any
from xml.parsers import expat

from castoff.builder.assets.errors import AssetError

_DRAWING = frozenset(
    [
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "image",
        "use",
        "foreignObject",
    ]
)


def config(text: str) -> dict[str, Any]:
    """Return SVGO's configuration for one picture.

    One pass only, since `multipass` corrupts icons. Identifiers stay, since other files name
    them (`sprite.svg#home`). In a file of symbols nothing looks used, so what is hidden stays too.
    """
    overrides: dict[str, bool] = {"cleanupIds": False}
    if "<symbol" in text or "<view" in text:
        overrides |= {"removeHiddenElems": False, "removeUselessDefs": False}
    return {
        "multipass": False,
        "plugins": [{"name": "preset-default", "params": {"overrides": overrides}}],
    }


def is_left_alone(text: str) -> bool:
    """Say whether a picture is more than a picture.

    SVGO empties characters of fonts (15 of Glyphicons' 276), and knows nothing of what scripts do.
    """
    return "<glyph" in text or "<script" in text


def check(text: str, name: str) -> bool:
    """Refuse what is not well-formed XML with `svg` at its root.

    Returns:
        Whether it draws anything.

    Raises:
        AssetError: With the place of the error.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    names: list[str] = []

    def remember(tag: str, _attributes: dict[str, str]) -> None:
        names.append(tag.rpartition(" ")[2])

    parser.StartElementHandler = remember
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise AssetError(
            f"not well-formed: {expat.ErrorString(error.code)}",
            file=name,
            line=error.lineno,
            column=error.offset + 1,
        ) from error
    if names[0] != "svg":
        raise AssetError(f"the root element is {names[0]}, not svg", file=name, line=1, column=1)
    return not _DRAWING.isdisjoint(names)


def check_result(text: str, name: str, *, drew: bool, tool: str) -> None:
    """Refuse an optimized picture that lost all that it drew.

    Its size says little: editors leave a hundred times more metadata than drawing.

    Raises:
        AssetError: The result is empty, or not a picture.
    """
    if check(text, name) < drew:
        raise AssetError(f"{tool} removed everything that is drawn", file=name)
