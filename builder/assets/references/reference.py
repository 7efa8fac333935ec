"""A place in a text where another file is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

# What a missing target is: an error, or a link that may well be a page of the application.
Need = Literal["asset", "link", "source-map"]


def plain(value: str) -> str:
    """Write a value as it is."""
    return value


@dataclass(frozen=True)
class Reference:
    """One name of another file.

    Attributes:
        start: Offset of the first character to replace.
        end: Offset after the last one.
        url: The URL, decoded from the language's own spelling.
        escape: Writes a URL back in that spelling.
        need: What it means that the target is missing.
        integrity: Whether the text to replace is not the URL but a digest of the file it names.
        base: URL that relative URLs here are resolved with, where it is not the file's own.
    """

    start: int
    end: int
    url: str
    escape: Callable[[str], str] = plain
    need: Need = "asset"
    integrity: bool = False
    base: str | None = None
