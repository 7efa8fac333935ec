"""Trees of any names, sizes and modes, for the writers of archives."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hypothesis import strategies as st

from castoff.builder.runs import RUN, SLICE
from castoff.builder.tree import Tree, walk

# Path, size, whether it is executable.
Rows = list[tuple[list[str], int, bool]]

SIZES = st.one_of(
    st.integers(0, 1500),
    st.sampled_from([511, 512, 513, RUN - 512, RUN - 1, RUN, RUN + 1, SLICE - 512, SLICE]),
    st.sampled_from([SLICE - 511, SLICE + 1, 2 * SLICE - 512, 2 * SLICE + 700]),
)
# Each name starts with its own depth and case, so that no two of them collide.
PART = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="/"), min_size=1
).filter(lambda part: part not in (".", "..") and len(part.encode()) < 120)
PATHS = st.lists(PART, min_size=1, max_size=3)
TREES = st.lists(st.tuples(PATHS, SIZES, st.booleans()), max_size=8)


def content(size: int, seed: int) -> bytes:
    """Return bytes that neither compress to nothing nor repeat those of another file."""
    block = hashlib.shake_128(str(seed).encode()).digest(min(size, 4000))
    return (block * (size // max(len(block), 1) + 1))[:size]


def make(top: Path, rows: Rows) -> Tree:
    """Write a tree with all of it, an empty folder and a link; return what `walk` finds."""
    for number, (parts, size, executable) in enumerate(rows):
        place = top.joinpath(str(number), *parts)
        place.parent.mkdir(parents=True)
        place.write_bytes(content(size, number))
        place.chmod(0o755 if executable else 0o644)
    (top / "empty").mkdir()
    (top / "link").symlink_to("empty")
    return walk(top)
