"""Where a patch is cut into frames, so that little memory is enough to apply it; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Bytes. A host holds what one frame gives and what it is made against, the latter twice for a
# moment; releaser/agent/patch.py refuses larger frames. Larger ones made patches no smaller.
MOST_CONTENT = 4 * 1024 * 1024
MOST_REFERENCE = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cut:
    """What one frame is about.

    Attributes:
        size: Bytes of new content; they follow those of the cut before.
        start: Where what it is made against begins in the row of all old content.
        span: How many bytes that is.
    """

    size: int
    start: int
    span: int


def cuts(sizes: Iterable[tuple[int, int]]) -> Iterator[Cut]:
    """Yield the frames for files in a row.

    Args:
        sizes: For each file the bytes of its new content, and of the old content that joined the
            row of old content for its sake, maybe none.
    """
    size = start = span = 0
    for new, old in sizes:
        if size + new > MOST_CONTENT or span + old > MOST_REFERENCE:
            if size:
                yield Cut(size, start, span)
            size, start, span = 0, start + span, 0
        if new > MOST_CONTENT or old > MOST_REFERENCE:
            yield from _slices(new, old, start)
            start += old
        else:
            size, span = size + new, span + old
    if size:
        yield Cut(size, start, span)


def _slices(new: int, old: int, start: int) -> Iterator[Cut]:
    """Yield the frames for one large file, each against the same part of the old one, and more."""
    span = min(old, MOST_REFERENCE)
    for begin in range(0, new, MOST_CONTENT):
        size = min(MOST_CONTENT, new - begin)
        middle = (2 * begin + size) * old // (2 * new)
        yield Cut(size, start + max(0, min(middle - span // 2, old - span)), span)
