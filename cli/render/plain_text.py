"""What programs printed, as text that is safe to look at: no escapes, no control characters."""

from __future__ import annotations

import re
import unicodedata

# Control sequences (ECMA-48, 5.4), operating system commands up to their end, other escapes.
_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]+[0-~]|[0-Z\\-~])?"
)


def plain(text: str) -> str:
    """Return a text without terminal escapes; other characters that do things become U+FFFD.

    Tabs and newlines stay. Directional overrides count as control characters, for they make a text
    read as what it is not.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if _acts(character) else character
        for character in _ESCAPE.sub("", text)
    )


def _acts(character: str) -> bool:
    if character in "\t\n":
        return False
    return unicodedata.category(character) == "Cc" or unicodedata.bidirectional(character) in (
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
    )  # fmt: skip
