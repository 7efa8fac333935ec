"""How many of something, as people say it."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return `1 host`, `2 hosts`; for nouns that take an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
