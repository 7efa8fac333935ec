"""What less.js answers, in V8 or Node, made into CSS or an error."""

from __future__ import annotations

from typing import Any

from castoff.builder.assets import guard
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tool import Input
from castoff.builder.assets.tools.load_paths import LoadPaths


def check(answer: dict[str, Any], source: Input, text: str, load_paths: LoadPaths) -> str:
    """Return the CSS of an answer.

    Raises:
        AssetError: It is an error, or there is suspiciously little CSS.
    """
    if "error" in answer:
        error = answer["error"]
        file = error.get("filename")
        column = error.get("column")
        raise AssetError(
            str(error["message"]),
            file=source.name if file in (None, str(source.path)) else load_paths.shown(file),
            line=error.get("line"),
            column=None if column is None else column + 1,
        )
    css = str(answer["css"])
    # Mixins and variables alone make no CSS, and rightly.
    if not text.lstrip().startswith((".", "@", "#")):
        guard.check(source.name, text, css, tool="Less", line_comments=True)
    return css
