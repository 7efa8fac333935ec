"""What differs from a table on the disk: how, of each path, and the names of the first few."""

from __future__ import annotations

from itertools import islice

from .entries import in_bytes
from .sorting import Sorting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional

    # Its kind and what else is known of it, without the path itself.
    Record = tuple[str, ...]


class Unlike:
    """The record of each path that is not as in the table, None for one that is not there."""

    def __init__(self) -> None:
        self._rows: Sorting[tuple[bytes, str, Optional[Record]]] = Sorting()

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, path: str, record: Record | None) -> None:
        """Add one; each path once.

        Raises:
            OSError: They are many, and the disk is full.
        """
        self._rows.add((in_bytes(path), path, record))

    def __iter__(self) -> Iterator[tuple[bytes, str, Record | None]]:
        return iter(self._rows)


class Named:
    """Paths as people can read them: how many they are, and the first ones in their order."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._paths: list[str] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        self._cut()
        return iter(self._paths)

    def add(self, path: str) -> None:
        """Add one."""
        self._count += 1
        self._paths.append(shown(path))
        if len(self._paths) > 2 * self._most + 1000:
            self._cut()

    def first(self, count: int) -> list[str]:
        """Return so many of the first ones, no more than were asked for in the beginning."""
        return list(islice(self, count))

    def _cut(self) -> None:
        self._paths.sort()
        del self._paths[self._most :]


def shown(path: str) -> str:
    """Return a path with escapes for what is no text or does something to a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in path)
