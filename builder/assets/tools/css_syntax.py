"""Whether a text is CSS at all, by the tokens that the specification calls errors."""

from __future__ import annotations

from typing import Any

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import extra

_MEANING = {
    "bad-string": "a string runs over the end of its line",
    "bad-url": "this is not a URL; put it in quotes",
    ")": "')' closes nothing",
    "]": "']' closes nothing",
    "}": "'}' closes nothing",
    "eof-in-string": "a string is left open",
    "eof-in-url": "a url( is left open",
}


def check(text: str, name: str) -> None:
    """Refuse a stylesheet that cannot be split into tokens and blocks.

    Raises:
        AssetError: With the place of the first error token.
    """
    css = extra.load("tinycss2", "tinycss2")
    _check(css.parse_component_value_list(text, skip_comments=True), name)


def _check(nodes: list[Any], name: str) -> None:
    for node in nodes:
        if node.type == "error":
            raise AssetError(
                _MEANING.get(node.kind, node.message),
                file=name,
                line=node.source_line,
                column=node.source_column,
            )
        inner = getattr(node, "content", None) or getattr(node, "arguments", None)
        if inner and not isinstance(inner, str):
            _check(inner, name)
