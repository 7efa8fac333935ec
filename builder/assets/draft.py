"""An asset on its way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Draft:
    """What is known of an asset before it has its final name.

    Attributes:
        name: Its logical name.
        origin: Logical name of the file that it was made from.
        written: Its text as the author or compiler wrote it, whose lines messages name.
        data: Its bytes now.
        final: Whether name and bytes may not change any more.
    """

    name: str
    origin: str
    written: bytes
    data: bytes
    final: bool = False
