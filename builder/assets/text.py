"""Text of assets: UTF-8 alone, and places in it."""

from __future__ import annotations

from castoff.builder.assets.errors import AssetError


def decode(data: bytes, name: str) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        AssetError: It is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise AssetError(
            "this text is not UTF-8", file=name, line=line, hint="Save the file as UTF-8."
        ) from error


def line_of(text: str, offset: int) -> int:
    """Return the line, from 1, of a character."""
    return text.count("\n", 0, offset) + 1


def column_of(text: str, offset: int) -> int:
    """Return the column, from 1, of a character."""
    return offset - (text.rfind("\n", 0, offset) + 1) + 1
