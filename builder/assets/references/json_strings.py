"""References in JSON: web app manifests and import maps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.text import column_of, line_of

_SPACE = " \t\n\r"


@dataclass(frozen=True)
class String:
    """A string value.

    Attributes:
        start: Offset of its quotation mark.
        end: Offset after the second one.
        value: Decoded.
        path: Keys that lead to it.
    """

    start: int
    end: int
    value: str
    path: tuple[str, ...]


def scan_web_manifest(text: str, name: str) -> Iterator[Reference]:
    """Yield every `src`: icons, screenshots, icons of shortcuts.

    Raises:
        AssetError: It is not JSON.
    """
    for string in strings(text, name):
        if string.path[-1:] == ("src",):
            yield _reference(string)


def scan_import_map(text: str, name: str) -> Iterator[Reference]:
    """Yield every address: the values below `imports` and `scopes`.

    Raises:
        AssetError: It is not JSON.
    """
    for string in strings(text, name):
        address = string.value.startswith(("/", "./", "../", "http"))
        if string.path[:1] in (("imports",), ("scopes",)) and address:
            # An address that ends in a slash is a folder, which is never renamed; `import_maps`
            # has written those of its files beside it.
            yield _reference(string)


def _reference(string: String) -> Reference:
    return Reference(string.start, string.end, string.value, ("json",))


def strings(text: str, name: str) -> Iterator[String]:
    """Yield the string values of a document with their keys.

    Raises:
        AssetError: It is not JSON.
    """
    try:
        json.loads(text)
    except ValueError as error:
        at = getattr(error, "pos", 0)
        raise AssetError(
            f"not JSON: {getattr(error, 'msg', error)}",
            file=name,
            line=line_of(text, at),
            column=column_of(text, at),
        ) from error
    decoder = json.JSONDecoder()
    keys: list[str] = []
    key = ""
    position = 0
    while position < len(text):
        character = text[position]
        if character in "{[":
            keys.append(key)
            key = ""
        elif character in "}]":
            keys.pop()
        elif character == '"':
            value, end = decoder.raw_decode(text, position)
            after = end
            while text[after : after + 1] in tuple(_SPACE):
                after += 1
            if text.startswith(":", after):
                key = value
            else:
                yield String(position, end, value, (*keys[1:], key))
            position = end
            continue
        position += 1
