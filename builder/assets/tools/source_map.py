"""Source maps of compilers: from which line of which file a place in their output comes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits

_DIGITS = {one: n for n, one in enumerate(f"{ascii_uppercase}{ascii_lowercase}{digits}+/")}
_CONTINUES = 32
_BITS = 5
# A segment without these says that its place comes from no source.
_WITH_SOURCE = 4


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the output that comes from one place.

    Attributes:
        line: Its line in the output, from 1.
        column: Its first column in it, from 1.
        file: Path or `file:` URL of the source.
        source_line: The line there, from 1.
    """

    line: int
    column: int
    file: str
    source_line: int


def segments_of(text: str) -> list[Segment]:
    """Return the segments of a source map.

    Format: ECMA-426, section 9, https://tc39.es/ecma426/

    Args:
        text: The map, as JSON.

    Raises:
        ValueError, KeyError, IndexError: It is none.
    """
    values = json.loads(text)
    root = values.get("sourceRoot") or ""
    sources = [f"{root}{name}" for name in values["sources"]]
    found, source, source_line = [], 0, 0
    for line, stretches in enumerate(values["mappings"].split(";"), 1):
        column = 0
        for stretch in filter(None, stretches.split(",")):
            numbers = list(_numbers(stretch))
            column += numbers[0]
            if len(numbers) >= _WITH_SOURCE:
                source += numbers[1]
                source_line += numbers[2]
                found.append(Segment(line, column + 1, sources[source], source_line + 1))
    return found


def find(segments: Sequence[Segment], line: int, column: int) -> Segment | None:
    """Return the segment that a place in the output belongs to.

    Args:
        segments: What `segments_of` returned.
        line: The place's line, from 1.
        column: Its column, from 1.
    """
    before = [one for one in segments if (one.line, one.column) <= (line, column)]
    return max(before, key=lambda one: (one.line, one.column), default=None)


def _numbers(text: str) -> Iterator[int]:
    """Yield the base 64 VLQ numbers of a segment."""
    value = shift = 0
    for character in text:
        digit = _DIGITS[character]
        value |= (digit % _CONTINUES) << shift
        shift += _BITS
        if digit < _CONTINUES:
            yield -(value >> 1) if value & 1 else value >> 1
            value = shift = 0
