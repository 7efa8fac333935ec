"""How a release came to a host, in words."""

from __future__ import annotations

from collections.abc import Mapping

from castoff.cli.render.sizes import size
from castoff.store.history import Way

_WORDS: dict[Way, str] = {
    "patch": "by patch",
    "ranges": "in parts",
    "archive": "as a whole",
}


def fetched(ways: Mapping[Way, int] | None) -> str:
    """Return how many bytes came in which way; `nothing` if none did, `-` where it is not known."""
    if ways is None:
        return "-"
    told = [f"{size(ways[way])} {words}" for way, words in _WORDS.items() if ways.get(way)]
    return ", ".join(told) or "nothing"
