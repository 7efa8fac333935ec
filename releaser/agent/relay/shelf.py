"""What was sent to one host and is kept for others; both ends count in step, so none is asked."""

from __future__ import annotations

from .frames import MOST_KEPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Shelf:
    """Things by the number of their coming; the oldest fall off when there is no room."""

    def __init__(self) -> None:
        self._things: dict[int, tuple[Any, int]] = {}
        self._next = 0
        self._size = 0

    def put(self, thing: Any, size: int) -> tuple[int, list[Any]]:
        """Keep a thing of so many bytes; return its number, and what has fallen off."""
        number = self._next
        self._next += 1
        self._things[number] = (thing, size)
        self._size += size
        fallen = []
        while self._size > MOST_KEPT:
            oldest = next(iter(self._things))
            lost, freed = self._things.pop(oldest)
            self._size -= freed
            fallen.append(lost)
        return number, fallen

    def get(self, number: int) -> Any:
        """Return the thing of a number.

        Raises:
            KeyError: It is not there, or not any more.
        """
        return self._things[number][0]
