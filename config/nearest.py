"""The known name that a misspelt one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_ALIKE = 0.6


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the most similar known name, or an empty string if none is similar.

    Similarity is difflib's ratio, at least 0.6; case, `-` and `_` do not count. Among equals a
    name of the same letters wins (`prot` is `port`, not `root`), then one with the same first.
    """
    best = max(known, key=lambda name: _likeness(word, name), default="")
    return best if _likeness(word, best)[0] >= _ALIKE else ""


def _likeness(word: str, name: str) -> tuple[float, bool, bool]:
    one, other = _plain(word), _plain(name)
    ratio = difflib.SequenceMatcher(None, one, other).ratio()
    return ratio, sorted(one) == sorted(other), one[:1] == other[:1]


def _plain(word: str) -> str:
    return word.casefold().replace("-", "_")
