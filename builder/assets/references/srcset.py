"""References in `srcset` attributes (WHATWG HTML, "parsing a srcset attribute")."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.builder.assets.references.reference import Reference

_SPACE = " \t\n\r\f"


def scan(text: str) -> Iterator[Reference]:
    """Yield the image candidates' URLs, in order."""
    position = 0
    while True:
        while position < len(text) and text[position] in _SPACE + ",":
            position += 1
        if position == len(text):
            return
        start = position
        while position < len(text) and text[position] not in _SPACE:
            position += 1
        end = len(text[:position].rstrip(","))
        yield Reference(start, end, text[start:end])
        if end == position:
            position = _end_of_descriptors(text, position)


def _end_of_descriptors(text: str, position: int) -> int:
    depth = 0
    while position < len(text):
        character = text[position]
        depth += (character == "(") - (character == ")")
        if character == "," and depth <= 0:
            break
        position += 1
    return position
