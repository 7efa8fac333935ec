"""The known name that a misspelt one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.6


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the most similar known name, or an empty string if none is similar.

    Similarity is difflib's ratio, at least 0.6; case, `-` and `_` do not count.
    """
    spelt = {_plain(name): name for name in known}
    found = difflib.get_close_matches(_plain(word), spelt, n=1, cutoff=_ALIKE)
    return spelt[found[0]] if found else ""


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")
