"""A place in a text where another file is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from castoff.builder.assets.references.spelling import SPELLINGS, Spelling

# What a missing target is: an error, or a link that may well be a page of the application.
Need = Literal["asset", "link", "source-map"]


@dataclass(frozen=True)
class Reference:
    """One name of another file.

    Attributes:
        start: Offset of the first character to replace.
        end: Offset after the last one.
        url: The URL, decoded from the language's own spelling.
        spelling: How it is written there: each after the one before, from the innermost.
        need: What it means that the target is missing.
        integrity: Whether the text to replace is not the URL but a digest of the file it names.
        base: URL that relative URLs here are resolved with, where it is not the file's own.
    """

    start: int
    end: int
    url: str
    spelling: tuple[Spelling, ...] = ()
    need: Need = "asset"
    integrity: bool = False
    base: str | None = None

    def escape(self, url: str) -> str:
        """Write a URL as this one is written."""
        for name in self.spelling:
            url = SPELLINGS[name](url)
        return url
